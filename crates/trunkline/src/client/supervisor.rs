//! [`Supervisor`]: sees to it that a client has a connection.

use super::{
    line::Line,
    reconnect::{Pauses, Reconnect},
};
use crate::{Ended, Link, Service};
use std::{error::Error, sync::Arc, time::Duration};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep},
};
use tracing::Instrument;
use trunkline_net::dial::{DialError, Dialer};

/// Sees to it that a client has a connection, for as long as anybody wants one.
pub(super) struct Supervisor {
    pub(super) line: Arc<Line>,
    /// Who makes the connection anew; without one it is not.
    pub(super) dialer: Option<Dialer>,
    pub(super) service: Service,
    pub(super) call_timeout: Duration,
    pub(super) reconnect: Reconnect,
}

/// A connection: the task that drives it.
type Driven = JoinHandle<Ended>;

impl Supervisor {
    /// Takes a link into use, if there is one, and goes on in the background.
    pub(super) fn start(self, link: Option<Box<Link>>) {
        let driven = link.map(|link| self.open(*link));
        tokio::spawn(self.run(driven));
    }

    /// Takes a link into use.
    fn open(&self, link: Link) -> Driven {
        let (peer, driver) = trunkline_net::open(link, &self.service, self.call_timeout);
        self.line.up(&peer);
        let connection = peer.connection();
        let span = tracing::info_span!("client", id = %connection.id(), transport = connection.transport());
        tokio::spawn(driver.instrument(span))
    }

    /// Runs until nobody wants the connection any more, or it is given up.
    async fn run(self, mut driven: Option<Driven>) {
        let shut = ShutAtLast(&self.line);
        let mut pauses = Pauses::new(self.reconnect);
        while let Some(reason) = self.until_lost(driven.take(), &mut pauses).await {
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
    async fn until_lost(&self, driven: Option<Driven>, pauses: &mut Pauses) -> Option<String> {
        let driven = match (driven, &self.dialer) {
            (Some(driven), _) => driven,
            (None, None) => return None,
            (None, Some(dialer)) => {
                let dialled = tokio::select! {
                    dialled = dialer.dial() => dialled,
                    () = self.line.left() => return None,
                };
                match dialled {
                    Ok(link) => self.open(link),
                    Err(error) => return Some(in_full(&error)),
                }
            }
        };
        let since = Instant::now();
        // the line has told the connection to end if nobody wants it any more
        let ended = driven.await;
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
