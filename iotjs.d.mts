import iotjs = require('./iotjs.js');

export * from './iotjs.js';
export default iotjs;
