//! [`stop`] and [`stopped`]: when the user, or the system, wants the program to end;
//! [`hang_up`]: when its settings are to be read anew.

use std::process;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Waits for Ctrl-C (SIGINT) or SIGTERM, from now on. Where signals cannot be had it waits
/// for ever, and they end the program as they always do.
pub(crate) fn stop() -> impl Future<Output = ()> {
    let (interrupt, terminate) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    async {
        tokio::select! {
            () = came(interrupt) => {}
            () = came(terminate) => {}
        }
    }
}

/// Waits until what serves is told to stop, from now on. Who cannot wait for the end says
/// it twice.
pub(crate) fn stopped(quiet: bool) -> impl Future<Output = ()> {
    let stop_once = stop();
    async move {
        stop_once.await;
        let stop_twice = stop();
        if !quiet {
            eprintln!("stopping when calls under way are done; Ctrl-C again stops at once");
        }
        tokio::spawn(async {
            stop_twice.await;
            process::exit(130);
        });
    }
}

/// Every SIGHUP from now on, for [`next`], if signals can be had. The program does not end
/// of it any more.
#[cfg(feature = "gateway")]
pub(crate) fn hang_up() -> Option<Signal> {
    signal(SignalKind::hangup()).ok()
}

async fn came(signal: std::io::Result<Signal>) {
    next(&mut signal.ok()).await;
}

/// Waits for the next, or for ever where signals cannot be had.
pub(crate) async fn next(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}
