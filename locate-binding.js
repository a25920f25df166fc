'use strict';

// Finds and loads the native addon (binding.js calls load()). In this order:
//   1. the file that the environment variable C4TLS_BINDING names (nothing else is tried then);
//   2. the prebuilt platform package, c4tls-<platform>-<arch>[-gnu|-musl|-msvc], of this very version;
//   3. the local build beside this file, c4tls.<platform>-<arch>[-abi].node or c4tls.node (`npm run build`).
// When none loads, `require` throws one Error with code ERR_C4TLS_BINDING that says why and what to do.

const fs = require('fs');
const path = require('path');
const { version } = require('./package.json');

/** True where the C library is musl (Alpine and the like): a glibc addon cannot be loaded there. */
function isMusl() {
  if (process.platform !== 'linux') return false;
  if (!process.report) return false;
  // The report would otherwise look up host names of open sockets, which can take seconds.
  const before = process.report.excludeNetwork;
  process.report.excludeNetwork = true;
  let report = process.report.getReport();
  process.report.excludeNetwork = before;
  if (typeof report === 'string') report = JSON.parse(report);
  return !report.header.glibcVersionRuntime;
}

/** The platform's name in napi-rs's manner, such as linux-x64-gnu, darwin-arm64, win32-x64-msvc. */
function platformTriple() {
  const { platform, arch } = process;
  if (platform === 'linux') return `${platform}-${arch}-${isMusl() ? 'musl' : 'gnu'}`;
  if (platform === 'win32') return `${platform}-${arch}-msvc`;
  return `${platform}-${arch}`;
}

/** File name that a local build of this platform gets. */
function localFileName() {
  return `c4tls.${platformTriple()}.node`;
}

/** Loads the prebuilt platform package; undefined when there is none. Throws when it is there but does not load. */
function loadPrebuilt() {
  const name = `c4tls-${platformTriple()}`;
  let manifest;
  try {
    manifest = require(`${name}/package.json`);
  } catch (error) {
    if (error.code === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
  // The contract between addon and JavaScript is internal: only the same version fits.
  if (manifest.version !== version) throw new Error(`${name} is version ${manifest.version}, not ${version}`);
  return require(name);
}

/** Loads the local build; undefined when there is none. Throws when it is there but does not load. */
function loadLocal() {
  for (const name of [localFileName(), 'c4tls.node']) {
    const file = path.join(__dirname, name);
    if (fs.existsSync(file)) return require(file);
  }
  return undefined;
}

function bindingError(message, cause) {
  const error = new Error(message);
  error.code = 'ERR_C4TLS_BINDING';
  if (cause) error.cause = cause;
  return error;
}

function firstLine(error) {
  return String(error?.message ?? error).split('\n', 1)[0];
}

/** Loads the addon as described at the top of this file. */
function load() {
  const chosen = process.env.C4TLS_BINDING;
  if (chosen) {
    try {
      return require(path.resolve(chosen));
    } catch (error) {
      throw bindingError(`c4tls: C4TLS_BINDING names ${chosen}, which does not load: ${firstLine(error)}`, error);
    }
  }
  let failure;
  for (const attempt of [loadPrebuilt, loadLocal]) {
    try {
      const binding = attempt();
      if (binding) return binding;
    } catch (error) {
      failure ??= error;
    }
  }
  const why = failure ? firstLine(failure) : `there is no c4tls-${platformTriple()} package and no local build`;
  throw bindingError(`c4tls: the native addon does not load: ${why}; ` +
    'run "npm rebuild c4tls" (in a checkout "npm run build"), which needs Rust, perl, make and a C compiler', failure);
}

module.exports = { load, loadPrebuilt, loadLocal, localFileName, platformTriple };
