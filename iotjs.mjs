import iotjs from './iotjs.js';

export default iotjs;
export const { Server, TLSSocket, connect, createSecureContext, createServer } = iotjs;
