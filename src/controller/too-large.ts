import { ApiError } from "../kube/api-error.ts";

/** Whether an object was refused for its size: the API server's limit of a request, etcd's of an object, or that of what goes between them. */
export function isTooLarge(error: unknown): boolean {
  if (!(error instanceof ApiError)) return false;
  return error.status === 413 || /request is too large|larger than max/i.test(error.message);
}
