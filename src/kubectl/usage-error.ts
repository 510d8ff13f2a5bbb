/** A mistake in the words of a command: the program ends with 2. */
export class UsageError extends Error {}
