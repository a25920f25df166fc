// The same for `node --import c4tls/register`.
import './register.js';
