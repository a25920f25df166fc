'use strict';
// The IPWorks SSL components.
const { CertStoreTypes } = require('./cert-store-types');
const { Certificate } = require('./certificate');
const { IPWorksSSLError } = require('./errors');

module.exports = { CertStoreTypes, Certificate, IPWorksSSLError };
