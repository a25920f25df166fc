'use strict';

// The types: what test/types promises holds, and they name exactly what the modules export, for require and import.

const assert = require('assert');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { run } = require('./support/program');

const ROOT = path.join(__dirname, '..');
const FACES = ['index', 'control4', 'https', 'iotjs', 'ipworks'];

async function tsc(project) {
  const { bin } = require('typescript/package.json');
  const program = path.join(ROOT, 'node_modules', 'typescript', bin.tsc);
  return run(process.execPath, [program, '--project', project], { cwd: ROOT, timeout: 60_000 });
}

/** A TypeScript file that compiles when the value exports of `face` are exactly `names`; errors name the others. */
function comparison(face, names) {
  return `import face = require(${JSON.stringify(path.join(ROOT, face))});
type Exported = ${names.map((name) => JSON.stringify(name)).join(' | ')};
type Typed = keyof typeof face;
const withoutType: Record<Exclude<Exported, Typed>, never> = {};
const withoutExport: Record<Exclude<Typed, Exported>, never> = {};
export { withoutExport, withoutType };
`;
}

describe('types', function () {
  this.timeout(70_000);

  let folder;

  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'c4tls-types-'));
    fs.writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify({
      compilerOptions: {
        target: 'es2022', module: 'node16', strict: true, noEmit: true,
        types: ['node'], typeRoots: [path.join(ROOT, 'node_modules', '@types')],
      },
    }));
  });

  after(() => {
    fs.rmSync(folder, { recursive: true });
  });

  it('right uses compile and wrong ones do not (test/types)', async () => {
    const { code, stdout } = await tsc(path.join(ROOT, 'test', 'types'));
    assert.strictEqual(code, 0, stdout);
  });

  it('every export has a type, and every type of a value its export', async () => {
    for (const face of FACES) {
      fs.writeFileSync(path.join(folder, `${face}.ts`), comparison(face, Object.keys(require(`../${face}`))));
    }
    const { code, stdout } = await tsc(folder);
    assert.strictEqual(code, 0, stdout);
  });

  it('the comparison notices a missing and a surplus name', async () => {
    const names = Object.keys(require('..')).filter((name) => name !== 'connect').concat('teleport');
    fs.writeFileSync(path.join(folder, 'index.ts'), comparison('index', names));
    const { code, stdout } = await tsc(folder);
    assert.notStrictEqual(code, 0);
    assert.match(stdout, /'teleport' is missing/);
    assert.match(stdout, /'connect' is missing/);
  });
});

describe('import', () => {
  for (const face of FACES) {
    it(`${face}.mjs exports what ${face}.js does`, async () => {
      const required = require(`../${face}`);
      const { default: whole, ...named } = await import(`../${face}.mjs`);
      assert.strictEqual(whole, required);
      // A module's names are fixed: those that only newer Nodes have are undefined under an older one.
      const newer = ['getCACertificates', 'getCertificateCompressionAlgorithms', 'setDefaultCACertificates'];
      const exported = Object.keys(named).filter((name) => named[name] !== undefined || !newer.includes(name));
      assert.deepStrictEqual(exported.sort(), Object.keys(required).sort());
      for (const name of Object.keys(named)) assert.strictEqual(named[name], required[name], name);
    });
  }
});
