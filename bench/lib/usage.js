'use strict';

const fs = require('node:fs');

/** CPU time of the main thread of `pid` in microseconds, to the nanosecond; NaN where the system does not tell. */
function mainThread(pid) {
  try {
    return Number(fs.readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'latin1').split(' ')[0]) / 1000;
  } catch {
    return NaN;
  }
}

/** CPU time of a server since its start, in microseconds: its own word for the process, the kernel's for the thread. */
exports.snapshot = async function snapshot(server) {
  const { cpu } = await server.ask('usage');
  return { user: cpu.user, system: cpu.system, total: cpu.user + cpu.system, thread: mainThread(server.pid) };
};
