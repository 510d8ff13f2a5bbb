/** A part that runs beside the others. `stop` resolves when nothing of it is left running. */
export type Part = { name: string; stop(): Promise<void>; health(): Health };

/**
 * `live: false` asks for a restart of the whole program, so only for what a restart mends. `ready: false`: the part does not do (or
 * not yet) what it is for. `words` say what is so, for people.
 */
export type Health = { live: boolean; ready: boolean; words: string };
