import ipworks = require('./ipworks.js');

export * from './ipworks.js';
export default ipworks;
