/** Every runtime we support has it; the declarations of the language level we compile for do not. */
type NewerText = string & { isWellFormed(): boolean }

/** Whether no half of a surrogate pair stands alone in a text: UTF-8 has no form for one and would put U+FFFD in its place. */
export function isWellFormed(text: string): boolean {
  return (text as NewerText).isWellFormed()
}
