//! Somebody who speaks to a broker, and hears what it says.

use bytes::Bytes;
use rand::random;
use std::{
    sync::{Arc, Weak},
    time::Duration,
};
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::timeout,
};
use trunkline_core::Key;
use trunkline_net::broker::{Arrival, Broker, Inbox, Line, Member, Request, Ticket, Unsent};

/// What everybody serves who serves something.
pub(crate) const PING: Key<'static> = Key { scope: "global", procedure: "ping", version: "1" };

/// After which a test fails that waits.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The only name that nodes have in here, as several of a network may have the same.
const NAME: &str = "same";

/// How long requests wait where a test does not say it: until after its end.
const LONG: Duration = Duration::from_secs(600);

/// Somebody who speaks to a broker, and hears what it says.
pub(crate) struct Peer {
    /// `None` once it has gone.
    line: Option<Arc<dyn Line>>,
    heard: UnboundedReceiver<Heard>,
    inbox: Weak<dyn Inbox>,
    id: String,
}

/// One thing that was heard, in words: `a`, `a again`, `a: nobody`, `topic: body`, `lost`.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) text: String,
    pub(crate) body: Bytes,
    pub(crate) reply_to: String,
    /// Of a request.
    pub(crate) ticket: Option<Ticket>,
}

struct Ear(UnboundedSender<Heard>);

impl Inbox for Ear {
    fn arrived(&self, arrival: Arrival<'_>) {
        let words = |body: &Bytes| String::from_utf8_lossy(body).into_owned();
        let mut heard =
            Heard { text: String::new(), body: Bytes::new(), reply_to: String::new(), ticket: None };
        heard.text = match arrival {
            Arrival::Request(it) => {
                (heard.reply_to, heard.ticket) = (it.reply_to.to_owned(), Some(it.ticket));
                heard.body = it.body;
                format!("{}{}", words(&heard.body), if it.redelivered { " again" } else { "" })
            }
            Arrival::Answer(body) => {
                heard.body = body;
                words(&heard.body)
            }
            Arrival::Unroutable { id } => format!("{id}: nobody"),
            Arrival::Event { topic, body } => {
                heard.body = body;
                format!("{topic}: {}", words(&heard.body))
            }
            Arrival::Lost => "lost".to_owned(),
            Arrival::Restored => "restored".to_owned(),
        };
        // a test that is over hears no more
        let _ = self.0.send(heard);
    }
}

impl Peer {
    /// Attaches somebody, and waits until the broker is there.
    pub(crate) async fn attach(broker: &Arc<dyn Broker>, network: &str, prefetch: usize) -> Self {
        let mut peer = Self::attach_at_once(broker, network, prefetch);
        peer.hears(&["restored"]).await;
        peer
    }

    /// Attaches somebody, whether or not the broker is there.
    pub(crate) fn attach_at_once(broker: &Arc<dyn Broker>, network: &str, prefetch: usize) -> Self {
        let (sender, heard) = unbounded_channel();
        let inbox: Arc<dyn Inbox> = Arc::new(Ear(sender));
        let weak = Arc::downgrade(&inbox);
        let id = format!("{:032x}", random::<u128>());
        let member = Member { network: network.into(), name: NAME.into(), id: id.as_str().into(), prefetch };
        Self { line: Some(broker.attach(member, inbox)), heard, inbox: weak, id }
    }

    /// Attaches somebody who serves `keys`, and waits until that is so.
    pub(crate) async fn serving(
        broker: &Arc<dyn Broker>,
        network: &str,
        prefetch: usize,
        keys: &[Key<'_>],
    ) -> Self {
        let mut peer = Self::attach(broker, network, prefetch).await;
        keys.iter().for_each(|key| peer.line().serve(key));
        peer.is_heard().await;
        peer
    }

    pub(crate) fn line(&self) -> &dyn Line {
        &**self.line.as_ref().unwrap()
    }

    pub(crate) fn own_line(&self) -> Arc<dyn Line> {
        self.line.clone().unwrap()
    }

    /// Waits until all that was said on the line has reached the broker.
    pub(crate) async fn is_heard(&mut self) {
        self.line().subscribe(&self.id);
        self.line().publish(&self.id, Bytes::new()).unwrap();
        let own = format!("{}: ", self.id);
        assert_eq!(self.next().await.text, own, "nothing else is to be heard before");
    }

    /// What is heard next.
    pub(crate) async fn next(&mut self) -> Heard {
        let heard = timeout(PATIENCE, self.heard.recv()).await;
        heard.expect("nothing is heard").expect("nothing will be heard any more")
    }

    /// What is heard next, a request.
    pub(crate) async fn request(&mut self) -> (String, Ticket) {
        let heard = self.next().await;
        let ticket = heard.ticket.unwrap_or_else(|| panic!("{heard:?} is no request"));
        (heard.text, ticket)
    }

    /// Hears these things, in this order.
    #[track_caller]
    pub(crate) fn hears<'a>(&'a mut self, expected: &'a [&'a str]) -> impl Future<Output = ()> + 'a {
        let caller = std::panic::Location::caller();
        async move {
            for text in expected {
                assert_eq!(self.next().await.text, *text, "{caller}");
            }
        }
    }

    /// What has been heard by now and was not asked for.
    pub(crate) fn rest(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.heard.try_recv().ok()).map(|heard| heard.text).collect()
    }

    /// Asks for [`PING`], saying `id`.
    pub(crate) fn ask(&self, id: &str) -> Result<(), Unsent> {
        self.ask_for(&PING, id, LONG)
    }

    pub(crate) fn ask_for(&self, key: &Key<'_>, id: &str, expires: Duration) -> Result<(), Unsent> {
        let body = Bytes::copy_from_slice(id.as_bytes());
        self.line().request(key, Request { id, correlation: &|| id.to_owned(), expires, body })
    }

    /// Asks for [`PING`] with that body.
    pub(crate) fn ask_with(&self, body: Bytes) -> Result<(), Unsent> {
        self.line()
            .request(&PING, Request { id: "id", correlation: &|| "id".to_owned(), expires: LONG, body })
    }

    /// Goes, as a process does that is killed.
    pub(crate) fn kill(&mut self) {
        drop(self.line.take());
    }

    /// Whether the broker has let go of what it spoke to; waits for it as long as tests wait.
    pub(crate) async fn is_let_go(&mut self) -> bool {
        // nobody else can speak: the channel ends with the inbox
        let ended = timeout(PATIENCE, async { while self.heard.recv().await.is_some() {} }).await;
        ended.is_ok() && self.inbox.upgrade().is_none()
    }
}
