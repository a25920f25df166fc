'use strict';

const { cleanUp } = require('./cleanup');

exports.mochaHooks = {
  afterEach: cleanUp,
};
