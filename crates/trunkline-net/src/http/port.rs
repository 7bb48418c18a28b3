//! [`Port`]: the door of a port of our own.

use super::{door::Door, endpoint::Endpoint, line::Busy, origins::Origins, reply::Reply, session::Life};
use crate::listen::Shutdown;
use std::net::{IpAddr, SocketAddr};

/// The door to one endpoint of a port, for one request.
#[derive(Clone)]
pub(super) struct Port {
    pub(super) busy: Busy,
    /// Which of the endpoints it is.
    pub(super) place: usize,
    pub(super) http2: bool,
}

impl Door for Port {
    fn endpoint(&self) -> &Endpoint {
        &self.busy.0.site.plan.endpoints[self.place].1
    }

    fn origins(&self) -> &Origins {
        &self.busy.0.site.plan.origins
    }

    fn proxies(&self) -> &[IpAddr] {
        &self.busy.0.site.plan.proxies
    }

    fn remote(&self) -> Option<SocketAddr> {
        Some(self.busy.0.remote)
    }

    fn shutdown(&self) -> &Shutdown {
        &self.busy.0.site.shutdown
    }

    /// Over HTTP/1.1 the connection itself becomes the WebSocket. Over HTTP/2
    /// that is one stream of many, and counts as a connection of its own.
    fn begin(&self, session: Life) -> bool {
        if !self.http2 {
            self.busy.0.becomes(session);
            return true;
        }
        let site = &self.busy.0.site;
        let Some(seat) = site.streams.take(site.limits.max_connections) else { return false };
        let busy = self.busy.clone();
        self.shutdown().spawn(async move {
            session.await;
            drop((seat, busy));
        });
        true
    }

    fn part(self, reply: Reply) -> Reply {
        self.busy.part(reply)
    }
}
