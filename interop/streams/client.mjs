#!/usr/bin/env node
// Checks that unmodified clients from npm subscribe to the streams of a server (see README.md), and call it.
import * as ethers from 'ethers';
import * as viem from 'viem';
import * as openrpc from '@open-rpc/client-js';
import { endpoints, Runner, equal } from '../lib/harness.mjs';

const { e, only, except, stop, list } = await endpoints(process.argv.slice(2));
const run = new Runner({ only, except, list });
const EVEN = viem.getAddress('0x00000000000000000000000000000000000000aa'); // the contract whose logs are in even blocks
let serial = 0;

/** One check, skipped if its endpoint was not given. */
const check = (name, kind, fn) => run.check(name, fn, e[kind] || list ? {} : { skip: `no --${kind}` });

/** The first `count` of what comes to a listener: `const [listener, all] = first(3)`. */
function first(count) {
  const seen = []; let enough;
  const all = new Promise((resolve) => { enough = resolve; });
  return [(it) => { if (seen.push(it) === count) enough([...seen]); }, all];
}
/** Whether each number is one more than that before it. */
const oneByOne = (numbers) => equal(numbers, numbers.map((_, i) => numbers[0] + (typeof numbers[0] === 'bigint' ? BigInt(i) : i)), 'numbers');
/** The code of the error that a promise ends in. */
const failure = (promise) => promise.then((it) => { throw new Error(`it succeeded: ${it}`); }, (error) => error);

/** Waits, on another connection, until no stream is open. */
async function nobodyListens(undo) {
  const provider = new ethers.WebSocketProvider(e.ws);
  undo(() => provider.destroy());
  await provider.send('kit.streams', [0]);
}

// ---------------------------------------------------------------- ethers
{
  const q = (name, fn) => check(`ethers.${name}`, 'ws', async (undo) => {
    const provider = new ethers.WebSocketProvider(e.ws);
    undo(() => provider.destroy());
    await provider.getNetwork(); // it is connected then
    const errors = [];
    await provider.on('error', (error) => errors.push(error.info?.result ?? error.result ?? error));
    await fn(provider, (count) => provider.send('kit.streams', [count]), undo);
    equal(errors, [], 'events of the kind error');
  });
  await q('calls', async (p) => {
    equal([(await p.getNetwork()).chainId, await p.send('net_version', []), await p.getBlockNumber() > 0], [1337n, '1337', true]);
    equal((await p.getBlock(1)).number, 1);
  });
  await q('error', async (p) => equal((await failure(p.send('no_such_method', []))).error?.code, -32601));
  await q('blocks', async (p, open) => {
    const [listener, blocks] = first(3);
    await p.on('block', listener);
    oneByOne(await blocks);
    await open(1);
    await p.off('block');
    await open(0);
    equal(await p.getBlockNumber() > 0, true, 'the connection is well');
  });
  await q('once', async (p, open) => {
    equal(typeof await new Promise((resolve) => { p.once('block', resolve); }), 'number');
    await open(0);
  });
  await q('logs', async (p, open) => {
    const [listener, logs] = first(3);
    await p.on({ address: EVEN }, listener);
    equal((await logs).map((log) => [log.address, log.blockNumber % 2, Number(log.data) === log.blockNumber]), Array(3).fill([EVEN, 0, true]));
    await p.removeAllListeners({ address: EVEN });
    await open(0);
  });
  await q('logs-of-all', async (p, open) => {
    const filter = { topics: [viem.padHex('0xee', { dir: 'right', size: 32 })] };
    const [listener, logs] = first(4);
    await p.on(filter, listener);
    oneByOne((await logs).map((log) => log.blockNumber));
    await p.off(filter);
    await open(0);
  });
  await q('pending', async (p, open) => {
    const [listener, hashes] = first(2);
    await p.on('pending', listener);
    equal((await hashes).map((hash) => hash.length), [66, 66]);
    await p.off('pending');
    await open(0);
  });
  await q('several', async (p, open) => {
    const [onBlock, blocks] = first(3); const [onLog, logs] = first(3);
    await p.on('block', onBlock); await p.on({ address: EVEN }, onLog);
    oneByOne(await blocks); await logs; await open(2);
    const [later, more] = first(2);
    await p.off('block'); await open(1);
    await p.on({ address: EVEN }, later); await more; await open(1);
    await p.removeAllListeners(); await open(0);
  });
  await q('refused', async (p) => equal((await failure(p.send('eth_subscribe', ['nonsense']))).error?.code, -32602));
  await q('unsubscribes-what-is-not-there', async (p) => equal(await p.send('eth_unsubscribe', ['0x7']), false));
  await q('disconnects', async (p, _open, undo) => {
    const [listener, blocks] = first(1);
    await p.on('block', listener);
    await blocks; await p.destroy();
    await nobodyListens(undo);
  });
  for (const [kind, how] of [['kit.ends', 'ends'], ['kit.breaks', 'breaks-off']]) {
    await q(`a-stream-that-${how}`, async (p, open) => {
      const subscriber = new ethers.SocketSubscriber(p, [kind]);
      const [listener, heads] = first(2);
      subscriber._emit = async (_provider, head) => listener(parseInt(head.number));
      subscriber.start();
      oneByOne(await heads);
      await open(0);
      equal(await p.getBlockNumber() > 0, true, 'the connection is well');
    });
  }
}

// ---------------------------------------------------------------- viem
{
  const q = (name, fn, config) => check(`viem.${name}`, 'ws', async (undo) => {
    const client = viem.createPublicClient({ transport: viem.webSocket(e.ws, { reconnect: false, retryCount: 0, key: `${++serial}`, ...config }) });
    const socket = await client.transport.getRpcClient();
    undo(() => socket.close());
    const errors = [];
    await fn(client, (count) => client.request({ method: 'kit.streams', params: [count] }), (error) => errors.push(error), undo);
    equal(errors, [], 'calls of onError');
  });
  await q('calls', async (c) => {
    equal([await c.getChainId(), await c.getBlockNumber() > 0n, (await c.getBlock({ blockNumber: 1n })).number], [1337, true, 1n]);
    equal((await failure(c.getBlock({ blockNumber: 1n << 40n }))).name, 'BlockNotFoundError');
  });
  await q('error', async (c) => equal((await failure(c.request({ method: 'no_such_method' }))).code, -32601));
  await q('http', async () => {
    const c = viem.createPublicClient({ transport: viem.http(e.http, { batch: true, retryCount: 0 }) });
    const [chain, block, error] = await Promise.all([c.getChainId(), c.getBlock({ blockNumber: 1n }), failure(c.request({ method: 'no_such_method' }))]);
    equal([chain, block.number, error.code], [1337, 1n, -32601]);
  });
  await q('subscribe', async (c, open, onError) => {
    const [onData, heads] = first(3);
    const { unsubscribe, subscriptionId } = await c.transport.subscribe({ params: ['newHeads'], onData, onError });
    const seen = await heads;
    oneByOne(seen.map(({ result }) => Number(result.number)));
    equal(seen.map(({ subscription }) => subscription), Array(3).fill(subscriptionId));
    await open(1);
    equal((await unsubscribe()).result, true);
    await open(0);
    equal(await c.getChainId(), 1337, 'the connection is well');
  });
  const watches = {
    'block-numbers': ['watchBlockNumber', { }, 'onBlockNumber', (seen) => oneByOne(seen)],
    blocks: ['watchBlocks', { }, 'onBlock', (seen) => oneByOne(seen.map((block) => block.number))],
    pending: ['watchPendingTransactions', { batch: false }, 'onTransactions', (seen) => equal(seen.map(([hash]) => hash.length), [66, 66, 66])],
    logs: ['watchEvent', { address: EVEN, batch: false }, 'onLogs', (seen) => equal(seen.map(([log]) => [viem.getAddress(log.address), log.blockNumber % 2n]), Array(3).fill([EVEN, 0n]))],
  };
  for (const [name, [watch, options, listen, verify]] of Object.entries(watches)) {
    await q(name, async (c, open, onError) => {
      const [listener, all] = first(3);
      const unwatch = c[watch]({ ...options, poll: false, onError, [listen]: (it) => listener(it) });
      verify(await all);
      await open(1);
      unwatch();
      await open(0);
      equal(await c.getChainId(), 1337, 'the connection is well');
    });
  }
  await q('several', async (c, open, onError) => {
    const one = first(2); const two = first(2); const three = first(2);
    const a = await c.transport.subscribe({ params: ['newHeads'], onData: one[0], onError });
    const b = await c.transport.subscribe({ params: ['newHeads'], onData: two[0], onError });
    await one[1]; await two[1]; await open(2);
    await a.unsubscribe(); await open(1);
    const d = await c.transport.subscribe({ params: ['logs', {}], onData: three[0], onError });
    await three[1]; await open(2);
    await b.unsubscribe(); await d.unsubscribe(); await open(0);
  });
  await q('refused', async (c) => equal((await failure(c.transport.subscribe({ params: ['nonsense'], onData() {}, onError() {} }))).code, -32602));
  await q('keeps-alive', async (c, open, onError) => {
    const [onData, heads] = first(5);
    const { unsubscribe } = await c.transport.subscribe({ params: ['newHeads'], onData, onError });
    await heads; await unsubscribe(); await open(0);
  }, { keepAlive: { interval: 10 } }); // calls net_version with the id null
  await q('disconnects', async (c, _open, _onError, undo) => {
    const [onData, heads] = first(1);
    await c.transport.subscribe({ params: ['newHeads'], onData, onError() {} });
    await heads; (await c.transport.getRpcClient()).close();
    await nobodyListens(undo);
  });
  for (const [kind, how] of [['kit.ends', 'ends'], ['kit.breaks', 'breaks-off']]) {
    await q(`a-stream-that-${how}`, async (c, open, onError) => {
      const [onData, heads] = first(2); const odd = [];
      await c.transport.subscribe({ params: [kind], onData: (it) => (it.result ? onData(Number(it.result.number)) : odd.push(it)), onError });
      oneByOne(await heads);
      await open(0);
      equal([await c.getChainId(), odd], [1337, []]);
    });
  }
}

// ---------------------------------------------------------------- @open-rpc/client-js
{
  const { Client, RequestManager, HTTPTransport, WebSocketTransport } = openrpc;
  const ask = (c, method, params) => c.request({ method, params }, 5000);
  for (const [label, make] of Object.entries({ http: () => new HTTPTransport(e.http), ws: () => new WebSocketTransport(e.ws) })) {
    const q = (name, fn) => check(`open-rpc.${label}.${name}`, label, async (undo) => {
      const c = new Client(new RequestManager([make()]));
      undo(() => c.close());
      await fn(c);
    });
    await q('request', async (c) => equal(await ask(c, 'subtract', [42, 23]), 19));
    await q('by-name', async (c) => equal(await ask(c, 'subtract', { minuend: 42, subtrahend: 23 }), 19));
    await q('without-params', async (c) => equal(await ask(c, 'eth_chainId'), '0x539'));
    await q('null', async (c) => equal(await ask(c, 'void'), null));
    await q('error', async (c) => { const { code, message, data } = await failure(ask(c, 'fail')); equal([code, message, data], [4001, 'demo failure', { reason: 'requested' }]); });
    await q('unknown-method', async (c) => equal((await failure(ask(c, 'foobar'))).code, -32601));
    await q('wrong-params', async (c) => equal((await failure(ask(c, 'subtract', ['a']))).code, -32602));
    await q('notify', async (c) => {
      const key = `k${process.pid}-${++serial}`;
      await c.notify({ method: 'log', params: [key] });
      while (await ask(c, 'log_count', [key]) === 0);
      equal(await ask(c, 'log_count', [key]), 1);
    });
    await q('batch', async (c) => {
      await ask(c, 'sum', []); // it is connected then
      c.startBatch();
      const answers = [ask(c, 'sum', [1, 2, 4]), failure(ask(c, 'foobar')).then((x) => x.code), ask(c, 'get_data')];
      await new Promise(setImmediate);
      c.stopBatch();
      equal(await Promise.all(answers), [7, -32601, ['hello', 5]]);
    });
    await q('discover', async (c) => {
      const { openrpc: version, methods } = await ask(c, 'rpc.discover');
      const subscribe = methods.find(({ name }) => name === 'eth_subscribe');
      equal([version.startsWith('1.'), subscribe?.params.map((it) => it.required)], [true, [true, false]]);
    });
    if (label === 'http') {
      await q('cannot-subscribe', async (c) => equal((await failure(ask(c, 'eth_subscribe', ['newHeads']))).message.includes('text/event-stream'), true));
    } else {
      await q('subscribe', async (c) => {
        const [listener, heads] = first(3);
        c.onNotification(listener);
        const subscription = await ask(c, 'eth_subscribe', ['newHeads']);
        const seen = await heads;
        equal(seen.map(({ method, params }) => [method, params.subscription]), Array(3).fill(['eth_subscription', subscription]));
        oneByOne(seen.map(({ params }) => Number(params.result.number)));
        await ask(c, 'kit.streams', [1]);
        equal([await ask(c, 'eth_unsubscribe', [subscription]), await ask(c, 'kit.streams', [0])], [true, 0]);
      });
    }
  }
}

const code = run.done();
stop();
process.exit(code);
