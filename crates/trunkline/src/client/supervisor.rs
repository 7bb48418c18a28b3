//! [`Supervisor`]: sees to it that a client has a connection.

use super::{
    line::{Introduction, Line},
    reconnect::{Pauses, Reconnect},
};
use crate::{Ended, Fault, FaultKind, Link, Peer, Service, security::AUTHENTICATE};
use http::header::AUTHORIZATION;
use serde::de::IgnoredAny;
use std::{error::Error, sync::Arc, time::Duration};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep},
};
use tracing::Instrument;
use trunkline_core::relay::{Name, REGISTER};
use trunkline_net::dial::{DialError, Dialer};

/// Sees to it that a client has a connection, for as long as anybody wants one.
pub(super) struct Supervisor {
    pub(super) line: Arc<Line>,
    /// Who makes the connection anew; without one it is not.
    pub(super) dialer: Option<Dialer>,
    pub(super) service: Service,
    pub(super) call_timeout: Duration,
    /// How long the server may take to find out who we are.
    pub(super) login_timeout: Duration,
    pub(super) reconnect: Reconnect,
}

/// A connection: the task that drives it.
type Driven = JoinHandle<Ended>;

/// A connection that callers have once the server knows who they are. Until then,
/// dropping it breaks it off.
pub(super) struct Opened {
    peer: Peer,
    driven: Option<Driven>,
    introduced: bool,
    /// Whether it has the names that it is to have.
    registered: bool,
}

impl Drop for Opened {
    fn drop(&mut self) {
        if !self.introduced {
            self.peer.abort();
        }
    }
}

impl Supervisor {
    /// Goes on in the background, with a connection if there is one.
    pub(super) fn start(self, opened: Option<Opened>) {
        tokio::spawn(self.run(opened));
    }

    /// Connects, and says in the request who we are if that is where it is said.
    pub(super) async fn dial(&self, dialer: &Dialer) -> Result<Link, DialError> {
        match self.line.introduction() {
            Introduction::Header(value) => dialer.clone().header(AUTHORIZATION, value).dial().await,
            _ => dialer.dial().await,
        }
    }

    /// Takes a link into use; callers have it at once unless the server is to be
    /// told who they are.
    pub(super) fn open(&self, link: Link) -> Opened {
        let (peer, driver) = trunkline_net::open(link, &self.service, self.call_timeout);
        let introduced = !matches!(self.line.introduction(), Introduction::Login { .. });
        if introduced {
            self.line.up(&peer);
        }
        let span = trunkline_net::telling::connection_span(peer.connection(), true);
        let driven = Some(tokio::spawn(driver.instrument(span)));
        Opened { peer, driven, introduced, registered: false }
    }

    /// Tells the server who we are, and gives callers the connection.
    pub(super) async fn introduce(&self, opened: &mut Opened) -> Result<(), Fault> {
        if opened.introduced {
            return Ok(());
        }
        if let Introduction::Login { credentials, must } = self.line.introduction() {
            let said = opened.peer.call::<IgnoredAny>(AUTHENTICATE, credentials);
            let unheard = [FaultKind::Disconnected, FaultKind::DeadlineExceeded];
            match said.timeout(self.login_timeout).await {
                Ok(_) => {}
                Err(fault) if must || unheard.contains(&fault.kind()) => return Err(fault),
                // the server has answered, and will again: better nobody than no connection
                Err(fault) => {
                    tracing::warn!(%fault, "the credentials are no longer accepted: going on as nobody")
                }
            }
        }
        opened.introduced = true;
        self.line.up(&opened.peer);
        Ok(())
    }

    /// Takes the names that other clients call this one by.
    pub(super) async fn register(&self, opened: &mut Opened) -> Result<(), DialError> {
        for name in self.line.names() {
            let taken = self.take(&opened.peer, &name).await;
            taken.map_err(|fault| DialError::Name { name, source: Box::new(fault) })?;
        }
        opened.registered = true;
        Ok(())
    }

    async fn take(&self, peer: &Peer, name: &str) -> Result<(), Fault> {
        let name = Name { name: name.to_owned() };
        peer.call::<()>(REGISTER, name).timeout(self.login_timeout).await
    }

    /// Takes the names that other clients call this one by, as soon as they are free.
    async fn register_in_time(&self, peer: &Peer) {
        let mut pauses = Pauses::new(Reconnect::default());
        let mut missing = self.line.names();
        while !missing.is_empty() {
            for name in std::mem::take(&mut missing) {
                match self.take(peer, &name).await {
                    Ok(()) => {}
                    Err(fault) if fault.kind() == FaultKind::Unavailable => {
                        tracing::debug!(?name, %fault, "the name cannot be taken yet");
                        missing.insert(name);
                    }
                    Err(fault) => tracing::warn!(?name, %fault, "the name cannot be taken"),
                }
            }
            if !missing.is_empty() {
                sleep(pauses.next().unwrap_or_default()).await;
                missing.retain(|name| self.line.is_wanted(name));
            }
        }
    }

    /// Runs until nobody wants the connection any more, or it is given up.
    async fn run(self, mut opened: Option<Opened>) {
        let shut = ShutAtLast(&self.line);
        let mut pauses = Pauses::new(self.reconnect);
        while let Some(reason) = self.until_lost(opened.take(), &mut pauses).await {
            self.line.down(&reason);
            let pause = pauses.next().filter(|_| self.dialer.is_some());
            let Some(pause) = pause else { break };
            tokio::select! {
                () = sleep(pause) => {}
                () = self.line.left() => break,
            }
            self.line.connecting();
        }
        drop(shut);
        self.line.tell_closed();
    }

    /// Makes a connection, if there is none yet, and drives it to its end; why it
    /// ended, or was not made. `None`: nobody wants it any more.
    async fn until_lost(&self, opened: Option<Opened>, pauses: &mut Pauses) -> Option<String> {
        let connecting = async {
            let mut opened = match (opened, &self.dialer) {
                (Some(opened), _) => opened,
                (None, None) => return Ok(None),
                (None, Some(dialer)) => self.open(self.dial(dialer).await.map_err(|error| in_full(&error))?),
            };
            let introduced = self.introduce(&mut opened).await;
            introduced.map_err(|fault| format!("the server does not accept the credentials: {fault}"))?;
            let unregistered = (!opened.registered).then(|| opened.peer.clone());
            Ok(opened.driven.take().map(|driven| (driven, unregistered)))
        };
        let connected = tokio::select! {
            biased;
            connected = connecting => connected,
            () = self.line.left() => return None,
        };
        let (mut driven, unregistered) = match connected {
            Ok(connected) => connected?,
            Err(reason) => return Some(reason),
        };
        let since = Instant::now();
        // the line has told the connection to end if nobody wants it any more
        let registering = async {
            if let Some(peer) = &unregistered {
                self.register_in_time(peer).await;
            }
            std::future::pending().await
        };
        let ended = tokio::select! {
            ended = &mut driven => ended,
            () = registering => return None,
        };
        pauses.lasted(since.elapsed());
        if self.line.is_left() {
            return None;
        }
        Some(match ended {
            Ok(ended) => ended.to_string(),
            Err(error) => format!("the task of the connection ended: {error}"),
        })
    }
}

/// However the supervisor ends, also by a panic of an observer or with the
/// runtime, nobody waits on for a connection.
struct ShutAtLast<'a>(&'a Line);

impl Drop for ShutAtLast<'_> {
    fn drop(&mut self) {
        self.0.shut(self.0.lost());
    }
}

/// An error with all that is behind it.
fn in_full(error: &DialError) -> String {
    let mut text = error.to_string();
    let mut behind = error.source();
    while let Some(error) = behind {
        text = format!("{text}: {error}");
        behind = error.source();
    }
    text
}
