/** A mistake in what was typed or set: exit code 2. */
export class UsageError extends Error {}
