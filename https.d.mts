import https = require('./https.js');

export * from './https.js';
export default https;
