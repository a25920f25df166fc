import ipworks from './ipworks.js';

export default ipworks;
export const { CertStoreTypes, Certificate, IPWorksSSLError } = ipworks;
