/** Paths that more than their route asks for. */
export const inspectPath = '/api/v1/inspect';
