/** A mistake in the words of a command: exit code 2, as everything that went wrong is 1. */
export class UsageError extends Error {}
