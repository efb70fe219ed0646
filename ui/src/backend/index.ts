/** The backend in use. Everything imports `backend` from here. */
import { connect } from "@/backend/connect";
import type { Backend } from "./backend";

export type { Answer, Argument, Backend, SchemeState, UseCase } from "./backend";
export { ApiError, toApiError } from "./errors";

export const backend: Backend = connect();
