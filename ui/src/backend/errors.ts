/** The one error that use cases reject with, and how anything else becomes one.
 *
 * Invariant: what reaches a screen is a code; `message` is English for the log and is never shown. */

export interface ApiErrorBody {
  code: string;
  message: string;
  detail?: string;
  retry_after_ms?: number;
  field?: string;
}

export class ApiError extends Error {
  readonly code: string;
  readonly detail: string | null;
  readonly retryAfterMs: number | null;
  readonly field: string | null;

  constructor(body: ApiErrorBody) {
    super(body.message);
    this.name = "ApiError";
    this.code = body.code;
    this.detail = body.detail ?? null;
    this.retryAfterMs = body.retry_after_ms ?? null;
    this.field = body.field ?? null;
  }
}

const isBody = (value: unknown): value is ApiErrorBody =>
  typeof value === "object" && value !== null && typeof (value as ApiErrorBody).code === "string";

/** Makes an `ApiError` of whatever was thrown or answered. `fallback` is the code for what the core did not say itself. */
export function toApiError(thrown: unknown, fallback = "internal"): ApiError {
  if (thrown instanceof ApiError) return thrown;
  if (isBody(thrown)) {
    return new ApiError({ ...thrown, message: typeof thrown.message === "string" ? thrown.message : thrown.code });
  }
  return new ApiError({ code: fallback, message: thrown instanceof Error ? thrown.name : "unknown failure" });
}
