//! Tasks that call a typed client in a loop, and what that cost the client's process.

use std::cell::Cell;
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Result;
use tokio::task::LocalSet;

use crate::args::Args;
use crate::stretch::{Servers, Stretch};

/// Keeps `--window` tasks calling for `--seconds`, after `--warmup` milliseconds, and prints the cost as one line of JSON.
///
/// `call` makes one call and gives back the answer, which must be 3. CPU time is read for this process and for
/// `--pid`, the servers.
///
/// # Errors
///
/// Fails with the first call that fails or answers wrongly.
pub async fn measure<C, F>(args: &Args, call: C) -> Result<()>
where
    C: Fn() -> F + Clone + 'static,
    F: Future<Output = Result<i64>> + 'static,
{
    let (window, seconds, server) =
        (args.get("window", 64_usize)?, args.get("seconds", 1.0)?, args.need::<Servers>("pid")?);
    let answered = Rc::new(Cell::new(0_u64));
    let tasks = LocalSet::new();
    let callers: Vec<_> = (0..window)
        .map(|_| {
            let (call, answered) = (call.clone(), Rc::clone(&answered));
            tasks.spawn_local(async move {
                loop {
                    match call().await {
                        Ok(3) => answered.set(answered.get() + 1),
                        Ok(other) => return anyhow::anyhow!("1 + 2 came back as {other}"),
                        Err(error) => return error,
                    }
                }
            })
        })
        .collect();
    tasks
        .run_until(async {
            tokio::time::sleep(Duration::from_millis(args.get("warmup", 250)?)).await;
            let (stretch, calls) = (Stretch::begin(server)?, answered.get());
            tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
            let found = stretch.end(answered.get() - calls);
            for caller in callers {
                if caller.is_finished() {
                    return Err(caller.await?);
                }
            }
            println!("{}", found?);
            Ok(())
        })
        .await
}
