export interface FaultProxy {
  readonly port: number
  connectTo(target: { readonly host: string; readonly port: number }): void
  close(): Promise<void>
}
export async function createFaultProxy(): Promise<FaultProxy> {
  throw new Error('not there yet')
}
