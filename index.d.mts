import c4tls = require('./index.js');

export * from './index.js';
export default c4tls;
