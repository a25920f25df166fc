'use strict';

// What the system has set for sockets of this process, which Node does not tell: Python asks, by copies of the sockets.

const { spawnSync } = require('child_process');
const { run } = require('./program');

const SCRIPT = `
import ctypes, json, os, socket, sys
pid, port = int(sys.argv[1]), int(sys.argv[2])
syscall = ctypes.CDLL(None, use_errno=True).syscall
PIDFD_GETFD = 438
owner = os.pidfd_open(pid)
found = {}
for name in os.listdir("/proc/%d/fd" % pid):
    try:
        if not os.readlink("/proc/%d/fd/%s" % (pid, name)).startswith("socket:"): continue
    except FileNotFoundError:
        continue
    copy = syscall(PIDFD_GETFD, owner, int(name), 0)
    if copy < 0: raise OSError(ctypes.get_errno(), "pidfd_getfd")
    with socket.socket(fileno=copy) as s:
        if s.family not in (socket.AF_INET, socket.AF_INET6) or s.type != socket.SOCK_STREAM: continue
        try:
            if s.getsockname()[1] != port: continue
            peer = s.getpeername()[1]
        except OSError:
            continue
        found[peer] = {
            "on": s.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) != 0,
            "idle": s.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE),
            "interval": s.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL),
            "count": s.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT),
        }
json.dump(found, sys.stdout)
`;

/** Keep-alive of the connections of a local port, by the port of the peer: { on, idle, interval, count }, seconds. */
async function keepAliveAt(port) {
  const { code, stdout, stderr } = await run('python3', ['-c', SCRIPT, String(process.pid), String(port)]);
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

/** Exits with 0 when it may have a copy of a descriptor of its parent's. */
const PROBE = `
import ctypes, os
exit(0 if ctypes.CDLL(None).syscall(438, os.pidfd_open(os.getppid()), 0, 0) >= 0 else 1)
`;

/** `it` where the system lets one process look at the sockets of another, otherwise a skipped test that says so. */
function itWithSocketOptions(title, body) {
  const probe = () => spawnSync('python3', ['-c', PROBE], { stdio: 'ignore', timeout: 20_000 });
  if (process.platform === 'linux' && probe().status === 0) it(title, body);
  else it.skip(`${title} (skipped: Python may not look at the sockets of another process here)`, body);
}

module.exports = { itWithSocketOptions, keepAliveAt };
