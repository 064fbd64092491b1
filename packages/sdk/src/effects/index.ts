/** Calls to the outside, remembered. The door `@evtkit/sdk/effects`. */
export type { EffectContext, EffectOptions, EffectStats, Effects, OnceKeeper } from './effects.ts'
export { createEffects, type EffectsOptions } from './postgres-effects.ts'
export { effectsMigrations } from './postgres-effects-migrations.ts'
