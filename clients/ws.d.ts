/** The part of ws that this program uses. */
declare module "ws" {
  import type { EventEmitter } from "node:events";
  import type { ClientRequest, IncomingMessage } from "node:http";
  import type { RequestOptions } from "node:https";
  import type { Duplex } from "node:stream";

  interface Events {
    open: [];
    message: [data: Buffer, isBinary: boolean];
    close: [code: number, reason: Buffer];
    error: [error: Error];
    upgrade: [response: IncomingMessage];
    "unexpected-response": [request: ClientRequest, response: IncomingMessage];
  }

  class WebSocket extends EventEmitter<Events> {
    /** @param options those of the request of the handshake, and of the connection */
    constructor(url: string, protocols: string[], options: RequestOptions & { handshakeTimeout?: number; perMessageDeflate?: boolean });
    send(data: Uint8Array, sent?: (error?: Error | null) => void): void;
    close(): void;
    /** Closes the connection at once. */
    terminate(): void;
  }

  export class WebSocketServer {
    constructor(options: { noServer: true; handleProtocols: (offered: Set<string>) => string | false });
    handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, upgraded: (socket: WebSocket) => void): void;
  }

  export default WebSocket;
}
