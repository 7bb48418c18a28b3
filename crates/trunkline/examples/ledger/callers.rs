//! The callers: so many at a time, over HTTP and WebSocket, by way of both gateways.
//!
//! What they may do is said on standard input, a line each: `until N` lets them make the calls
//! whose tokens are less than N, and `well A,B` asks them to wait until each gateway reaches the
//! handlers A and B, upon which they say `well`. How many calls have ended they say as `ended N`.

use super::{Anything, course::Caller};
use std::{
    fs::{File, OpenOptions},
    io::{BufRead, Write, stdin},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};
use tokio::{
    runtime::Handle,
    sync::watch,
    task::JoinSet,
    time::{interval, sleep, timeout},
};
use trunkline::Client;

/// How many calls each caller has under way at a time.
const EACH: u64 = 4;
/// How many callers there are for each gateway and kind of connection.
const CALLERS: u64 = 4;
/// How often it is said how many calls have ended.
const NEWS: Duration = Duration::from_millis(100);
/// How long one handler may take to say that it is well.
const WELL: Duration = Duration::from_secs(5);

/// The calls that are to be made, and what becomes of them.
struct Calls {
    count: u64,
    next: AtomicU64,
    /// Up to where they may be made.
    until: watch::Receiver<u64>,
    ended: AtomicU64,
    outcomes: File,
}

impl Calls {
    /// The token of the next call, once that may be made.
    async fn next(&self) -> Option<u64> {
        let token = self.next.fetch_add(1, Ordering::Relaxed);
        if token >= self.count {
            return None;
        }
        self.until.clone().wait_for(|until| token < *until).await.ok()?;
        Some(token)
    }

    /// Makes calls by way of `caller` until there are no more.
    async fn make(&self, caller: &Caller, way: &str) -> std::io::Result<()> {
        while let Some(token) = self.next().await {
            let (outcome, tried) = caller.call(token).await;
            let line = format!("{token} {outcome} ({way}, tried {tried} times)").replace('\n', " ");
            (&self.outcomes).write_all(format!("{line}\n").as_bytes())?;
            self.ended.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// Makes so many calls.
pub(crate) async fn run(gateways: &[&str], count: u64, outcomes: &str) -> Anything<()> {
    let outcomes = OpenOptions::new().create(true).append(true).open(outcomes)?;
    let until = listen(gateways)?;
    let (next, ended) = (AtomicU64::new(0), AtomicU64::new(0));
    let calls = Arc::new(Calls { count, next, until, ended, outcomes });
    let mut callers = JoinSet::new();
    for first in 0..gateways.len() {
        for scheme in ["http", "ws"] {
            let way = format!("{scheme}, gateway {} first", first + 1);
            for _ in 0..CALLERS {
                let addresses: Vec<String> = (gateways.iter().cycle().skip(first).take(gateways.len()))
                    .map(|address| address.replacen("http", scheme, 1))
                    .collect();
                let caller = Arc::new(Caller::new(addresses.iter().map(String::as_str))?);
                for _ in 0..EACH {
                    let (calls, caller, way) = (calls.clone(), caller.clone(), way.clone());
                    callers.spawn(async move { calls.make(&caller, &way).await });
                }
            }
        }
    }
    let mut ticks = interval(NEWS);
    while !callers.is_empty() {
        tokio::select! {
            Some(done) = callers.join_next() => done??,
            _ = ticks.tick() => println!("ended {}", calls.ended.load(Ordering::Relaxed)),
        }
    }
    println!("ended {}", calls.ended.load(Ordering::Relaxed));
    Ok(())
}

/// Does what standard input says, on a thread of its own; gives up to where calls may be made.
/// At its end nobody wants them any more.
fn listen(gateways: &[&str]) -> Anything<watch::Receiver<u64>> {
    let (allow, until) = watch::channel(0);
    let gateways: Vec<Client> =
        gateways.iter().map(|address| Client::builder(address).connect_lazy()).collect::<Result<_, _>>()?;
    let runtime = Handle::current();
    thread::spawn(move || {
        for line in stdin().lock().lines().map_while(Result::ok) {
            match line.split_once(' ') {
                Some(("until", number)) => {
                    allow.send_replace(number.parse().expect("`until` is followed by a number"));
                }
                Some(("well", names)) => {
                    let names: Vec<String> = names.split(',').map(|name| format!("well.{name}")).collect();
                    let gateways = gateways.clone();
                    runtime.spawn(async move {
                        well(&gateways, &names).await;
                        println!("well");
                    });
                }
                _ => panic!("neither `until` nor `well`: {line}"),
            }
        }
        std::process::exit(1);
    });
    Ok(until)
}

/// Waits until each gateway reaches all of these.
async fn well(gateways: &[Client], names: &[String]) {
    for gateway in gateways {
        for name in names {
            while !matches!(timeout(WELL, gateway.call::<()>(name, ())).await, Ok(Ok(()))) {
                sleep(NEWS).await;
            }
        }
    }
}
