//! [`stop`]: when the user, or the system, wants the program to end.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Waits for Ctrl-C (SIGINT) or SIGTERM. Where signals cannot be had it waits
/// for ever, and they end the program as they always do.
pub(crate) async fn stop() {
    let (interrupt, terminate) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    tokio::select! {
        () = came(interrupt) => {}
        () = came(terminate) => {}
    }
}

async fn came(signal: std::io::Result<Signal>) {
    match signal {
        Ok(mut signal) => {
            signal.recv().await;
        }
        Err(_) => std::future::pending().await,
    }
}
