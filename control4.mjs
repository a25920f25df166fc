import control4 from './control4.js';

export default control4;
export const { C4, Driver } = control4;
