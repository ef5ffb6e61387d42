import { expect, test } from 'vitest';
import { findOnPath, provideSystemPackages } from './system-packages.ts';

const PACKAGES = [
  {
    binary: 'chromium',
    debianPackage: 'chromium',
    neededFor: 'the browser tests',
    variable: 'HEADWATER_CHROMIUM',
  },
];

function fakePorts(options: { installed: boolean; installFault?: string }) {
  const printed: string[] = [];
  let { installed } = options;
  return {
    printed,
    find: (binary: string) => (installed ? `/usr/bin/${binary}` : undefined),
    install: async () => {
      installed = options.installFault === undefined;
      return options.installFault;
    },
    print: (line: string) => {
      printed.push(line);
    },
  };
}

test('a program that is there is handed to the tests by its path', async () => {
  const ports = fakePorts({ installed: true });
  const paths = await provideSystemPackages(PACKAGES, {}, ports);
  expect(paths).toEqual({ HEADWATER_CHROMIUM: '/usr/bin/chromium' });
});

test('a program that the environment names is used as it is', async () => {
  const ports = fakePorts({ installed: false, installFault: 'must not be asked' });
  const env = { HEADWATER_CHROMIUM: '/opt/browser' };
  expect(await provideSystemPackages(PACKAGES, env, ports)).toEqual(env);
  expect(ports.printed).toEqual([]);
});

test('a missing program is installed', async () => {
  const ports = fakePorts({ installed: false });
  const paths = await provideSystemPackages(PACKAGES, {}, ports);
  expect(paths).toEqual({ HEADWATER_CHROMIUM: '/usr/bin/chromium' });
});

test('what cannot be installed costs one line that says what to install', async () => {
  const ports = fakePorts({ installed: false, installFault: 'installing it takes root' });
  expect(await provideSystemPackages(PACKAGES, {}, ports)).toEqual({});
  expect(ports.printed).toEqual([
    'Install chromium (Debian package chromium) to run the browser tests: installing it takes root.',
  ]);
});

test('a program is found on PATH, and one that is not there is not', () => {
  expect(findOnPath('sh', '/nowhere:/bin')).toBe('/bin/sh');
  expect(findOnPath('no-such-program', '/bin')).toBeUndefined();
});
