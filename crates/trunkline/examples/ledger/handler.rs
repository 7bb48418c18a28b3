//! A handler: enters each call that it runs in its ledger, and answers with the token.

use super::{Anything, level::Level};
use std::{
    fs::{File, OpenOptions},
    io::{Write, stdin},
    time::Duration,
};
use tokio::{
    signal::unix::{SignalKind, signal},
    time::sleep,
};
use trunkline::{Fault, Router, Server, State, broker, handler};

/// So many milliseconds of work a call may have: enough to be killed in the middle of it.
const WORK: u64 = 20;

/// Where the calls are entered that run here.
struct Ledger(File);

impl Ledger {
    /// One write for one call: what is killed has either entered it or not.
    fn enter(&self, token: u64) -> Result<(), Fault> {
        (&self.0).write_all(format!("{token}\n").as_bytes()).map_err(Fault::internal)
    }
}

async fn run_call(ledger: State<Ledger>, token: u64) -> Result<u64, Fault> {
    ledger.enter(token)?;
    sleep(Duration::from_millis(token % WORK)).await;
    Ok(token)
}

/// Serves until it is told to stop, or whoever started it is gone.
pub(crate) async fn run(name: &str, url: &str, ledger: &str) -> Anything<()> {
    let ledger = Ledger(OpenOptions::new().create(true).append(true).open(ledger)?);
    let router = Router::new()
        .state(ledger)
        .procedure(Level::Once.procedure(), run_call)
        .procedure(Level::Again.procedure(), handler(run_call).idempotent())
        .procedure(&format!("well.{name}"), async || ());
    let mut terminated = signal(SignalKind::terminate())?;
    let bound = Server::new(router).name(name).broker(broker::from_url(url)?).bind().await?;
    bound.joined().await;
    println!("joined");
    bound
        .serve_until(async {
            tokio::select! {
                _ = terminated.recv() => {}
                () = orphaned() => {}
            }
        })
        .await;
    Ok(())
}

/// Waits for the end of standard input, which whoever started this has the other end of.
async fn orphaned() {
    let (end, ended) = tokio::sync::oneshot::channel();
    // a thread, as tokio's own standard input would keep the program from ending
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut stdin(), &mut std::io::sink());
        let _ = end.send(());
    });
    let _ = ended.await;
}
