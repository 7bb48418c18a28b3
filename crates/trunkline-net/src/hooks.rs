//! [`Hooks`]: what is called when connections come and go, and when things fail.

use crate::{link::Ended, peer::Peer};
use std::{
    error::Error,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};
use trunkline_core::{Context, Fault, FaultKind};

type Connect = Arc<dyn Fn(&Peer) + Send + Sync>;
type Disconnect = Arc<dyn Fn(&Peer, &Ended) + Send + Sync>;
type OnFault = Arc<dyn Fn(&FaultReport<'_>) + Send + Sync>;
type OnError = Arc<dyn Fn(&(dyn Error + 'static)) + Send + Sync>;

/// What is called when connections come and go, and when things fail.
///
/// Hooks run on the task that noticed, so they must be quick; one that has more
/// to do spawns a task. Several of a kind are called in the order they were added.
///
/// ```
/// # use trunkline_net::Hooks;
/// # use std::error::Error;
/// let hooks = Hooks::default()
///     .on_connect(|peer| println!("{:?} is here", peer.connection().remote()))
///     .on_fault(|report| {
///         if let Some(source) = report.fault.source() {
///             eprintln!("{}: {source}", report.procedure); // or hand it to an error reporter
///         }
///     });
/// ```
#[derive(Clone, Default)]
pub struct Hooks {
    connect: Vec<Connect>,
    disconnect: Vec<Disconnect>,
    fault: Vec<OnFault>,
    error: Vec<OnError>,
}

/// A call that failed, for those who operate the server.
#[derive(Debug)]
#[non_exhaustive]
pub struct FaultReport<'a> {
    /// The procedure that was called.
    pub procedure: &'a str,
    /// What the caller is told; its source is told only here.
    pub fault: &'a Fault,
    /// What is known of the caller.
    pub context: &'a Context,
}

impl<'a> FaultReport<'a> {
    pub(crate) fn new(procedure: &'a str, fault: &'a Fault, context: &'a Context) -> Self {
        Self { procedure, fault, context }
    }

    /// Whether the handler failed with something that it has no answer for, or panicked,
    /// or gave what cannot be written: a mistake of the program, not of its caller.
    #[must_use]
    pub fn is_handler_error(&self) -> bool {
        self.fault.kind() == FaultKind::Internal
    }
}

impl Hooks {
    /// Called when a connection is open, before its first message is heard.
    #[must_use]
    pub fn on_connect(mut self, hook: impl Fn(&Peer) + Send + Sync + 'static) -> Self {
        self.connect.push(Arc::new(hook));
        self
    }

    /// Called when a connection has ended, with the reason. Whoever was told of a
    /// connection is told of its end, once, also if its task is dropped or panics.
    #[must_use]
    pub fn on_disconnect(mut self, hook: impl Fn(&Peer, &Ended) + Send + Sync + 'static) -> Self {
        self.disconnect.push(Arc::new(hook));
        self
    }

    /// Called for every call that ends in a fault, before the caller hears of it.
    #[must_use]
    pub fn on_fault(mut self, hook: impl Fn(&FaultReport<'_>) + Send + Sync + 'static) -> Self {
        self.fault.push(Arc::new(hook));
        self
    }

    /// Called for calls whose handler [failed](FaultReport::is_handler_error) with something
    /// that it has no answer for: those of [`on_fault`](Self::on_fault) that somebody should
    /// look at.
    #[must_use]
    pub fn on_handler_error(self, hook: impl Fn(&FaultReport<'_>) + Send + Sync + 'static) -> Self {
        self.on_fault(move |report| {
            if report.is_handler_error() {
                hook(report);
            }
        })
    }

    /// Called for errors that concern no call: accepting, handshakes, TLS, and a broker
    /// that is lost.
    #[must_use]
    pub fn on_error(mut self, hook: impl Fn(&(dyn Error + 'static)) + Send + Sync + 'static) -> Self {
        self.error.push(Arc::new(hook));
        self
    }

    /// The same for where there is no connection that one could end by a panic: what it is told
    /// of goes on.
    pub(crate) fn contained(&self) -> Self {
        let (faults, errors) = (self.clone(), self.clone());
        Self {
            fault: vec![Arc::new(move |report| contain("on_fault", || faults.failed(report)))],
            error: vec![Arc::new(move |error| contain("on_error", || errors.error(error)))],
            ..self.clone()
        }
    }

    pub(crate) fn connected(&self, peer: &Peer) {
        self.connect.iter().for_each(|hook| hook(peer));
    }

    pub(crate) fn disconnected(&self, peer: &Peer, ended: &Ended) {
        self.disconnect.iter().for_each(|hook| hook(peer, ended));
    }

    pub(crate) fn failed(&self, report: &FaultReport<'_>) {
        self.fault.iter().for_each(|hook| hook(report));
    }

    pub(crate) fn error(&self, error: &(dyn Error + 'static)) {
        self.error.iter().for_each(|hook| hook(error));
    }
}

fn contain(name: &str, hooks: impl FnOnce()) {
    if catch_unwind(AssertUnwindSafe(hooks)).is_err() {
        tracing::error!("a hook `{name}` panicked");
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks").finish_non_exhaustive()
    }
}
