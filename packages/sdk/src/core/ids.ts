import { uuidv7 } from 'uuidv7'

/** Makes event ids: unique, and sorted by time so that they index well. */
export type NewId = () => string

/** UUID version 7, strictly increasing within the process. */
export const newUuid: NewId = uuidv7
