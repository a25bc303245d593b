/**
 * `node:http` and `node:https` as the rest of Pinfold takes them. An `import` of `node:http` reads
 * every export to build the module, and one of them, `WebSocket`, loads Node's whole HTTP client of
 * the browsers' kind: 15 MiB that a server never uses (Node 26.10). This way nothing is read that
 * is not named. Types come from `node:http` as ever, by `import type`.
 */
const http = process.getBuiltinModule('node:http');
const https = process.getBuiltinModule('node:https');

export const createServer = http.createServer;
export const createTlsServer = https.createServer;
export const request = http.request;
export const tlsRequest = https.request;
export const STATUS_CODES = http.STATUS_CODES;
