/** Something to wait at until it is opened; stays open. */
export interface Gate {
  readonly passed: Promise<void>
  open(): void
}

/** Creates a closed gate. */
export function createGate(): Gate {
  let open = () => {}
  const passed = new Promise<void>((resolve) => {
    open = resolve
  })
  return { passed, open }
}
