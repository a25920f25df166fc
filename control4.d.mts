import control4 = require('./control4.js');

export * from './control4.js';
export default control4;
