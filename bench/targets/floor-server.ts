/**
 * What any server in this runtime pays before it does anything: an empty `node:http` server, and a
 * raw socket that writes the same megabyte again and again. A process of its own; it prints its
 * ports.
 */
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';

const HTTP_BODY_BYTES = 4096;
const STREAM_PIECE = Buffer.alloc(1 << 20, 'x');
const STREAM_PIECES = 64;
const STREAM_HEAD = `HTTP/1.1 200 OK\r\nContent-Length: ${STREAM_PIECE.length * STREAM_PIECES}\r\n\r\n`;

const body = Buffer.alloc(HTTP_BODY_BYTES, 'x');
const http = createHttpServer({ noDelay: true }, (_request, response) => {
  response.writeHead(200, {
    'content-type': 'application/octet-stream',
    'content-length': HTTP_BODY_BYTES,
  });
  response.end(body);
});
// A request is short enough to come in one piece, and the next one only after the answer.
const stream = createServer({ noDelay: true }, (socket) => {
  socket.on('data', () => sendStream(socket));
  socket.on('error', () => socket.destroy());
});

const ports = await Promise.all([listen(http), listen(stream)]);
console.log(`ready ${ports.join(' ')}`);

function sendStream(socket: Socket): void {
  socket.cork();
  socket.write(STREAM_HEAD);
  for (let piece = 0; piece < STREAM_PIECES; piece += 1) socket.write(STREAM_PIECE);
  socket.uncork();
}

async function listen(server: Server | HttpServer): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
