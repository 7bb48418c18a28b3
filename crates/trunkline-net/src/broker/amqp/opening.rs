//! [`open`]: connects to a broker, up to where a channel is open.

use super::{
    address::Address,
    frames::{self, CHANNELS, Frame},
    topology::short,
    trouble::Trouble,
};
use crate::link::ByteStream;
use amq_protocol::{
    protocol::{AMQPClass, channel, connection},
    types::{AMQPValue, FieldTable},
};
use bytes::BytesMut;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// How long it may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// The largest frame, where the broker has no opinion.
const FRAME_MAX: u32 = 128 << 10;

/// What AMQP allows at least.
const SMALLEST_FRAME_MAX: u32 = 4096;

/// How often each side is heard of at least, as in `therms`.
const HEARTBEAT: u16 = 5;

/// A connection with an open channel.
pub(super) struct Opened {
    pub(super) stream: Box<dyn ByteStream>,
    /// What has been read of it already.
    pub(super) input: BytesMut,
    pub(super) frame_max: usize,
    pub(super) heartbeat: Duration,
}

/// Connects, as a node that people call `name`.
pub(super) async fn open(address: &Address, name: &str) -> Result<Opened, Trouble> {
    let opened = async { greet(connect(address).await?, address, name).await };
    timeout(PATIENCE, opened).await.unwrap_or(Err(Trouble::Late))
}

/// The same over a stream that is there.
pub(super) async fn greet(
    stream: Box<dyn ByteStream>,
    address: &Address,
    name: &str,
) -> Result<Opened, Trouble> {
    use connection::AMQPMethod::{OpenOk, Tune};

    let mut greeting = Greeting { stream, input: BytesMut::new(), frame_max: FRAME_MAX as usize };
    let mut out = BytesMut::new();
    frames::protocol_header(&mut out);
    greeting.say(&mut out).await?;
    let Frame::Start = greeting.next().await? else { return Err(frames::Unreadable.into()) };
    let start_ok = connection::StartOk {
        client_properties: properties(name),
        mechanism: short("PLAIN"),
        response: format!("\0{}\0{}", address.user, address.password).into(),
        locale: short("en_US"),
    };
    frames::method(&mut out, 0, AMQPClass::Connection(connection::AMQPMethod::StartOk(start_ok)));
    greeting.say(&mut out).await?;
    let AMQPClass::Connection(Tune(tune)) = greeting.hear().await? else {
        return Err(frames::Unreadable.into());
    };
    // of either, 0 says that there is no limit
    let frame_max = if tune.frame_max == 0 { FRAME_MAX } else { tune.frame_max.min(FRAME_MAX) };
    let frame_max = frame_max.max(SMALLEST_FRAME_MAX);
    let heartbeat = if tune.heartbeat == 0 { HEARTBEAT } else { tune.heartbeat.min(HEARTBEAT) };
    let tune_ok = connection::TuneOk { channel_max: CHANNELS, frame_max, heartbeat };
    frames::method(&mut out, 0, AMQPClass::Connection(connection::AMQPMethod::TuneOk(tune_ok)));
    let open = connection::Open { virtual_host: short(&address.vhost) };
    frames::method(&mut out, 0, AMQPClass::Connection(connection::AMQPMethod::Open(open)));
    for channel in 1..=CHANNELS {
        let open = channel::AMQPMethod::Open(channel::Open {});
        frames::method(&mut out, channel, AMQPClass::Channel(open));
    }
    greeting.say(&mut out).await?;
    greeting.frame_max = frame_max as usize;
    let AMQPClass::Connection(OpenOk(_)) = greeting.hear().await? else {
        return Err(frames::Unreadable.into());
    };
    for _ in 1..=CHANNELS {
        let AMQPClass::Channel(channel::AMQPMethod::OpenOk(_)) = greeting.hear().await? else {
            return Err(frames::Unreadable.into());
        };
    }
    let Greeting { stream, input, frame_max } = greeting;
    Ok(Opened { stream, input, frame_max, heartbeat: Duration::from_secs(heartbeat.into()) })
}

struct Greeting {
    stream: Box<dyn ByteStream>,
    input: BytesMut,
    frame_max: usize,
}

impl Greeting {
    async fn say(&mut self, out: &mut BytesMut) -> Result<(), Trouble> {
        self.stream.write_all_buf(out).await?;
        Ok(self.stream.flush().await?)
    }

    async fn next(&mut self) -> Result<Frame, Trouble> {
        loop {
            if let Some(frame) = frames::read(&mut self.input, self.frame_max)? {
                return Ok(frame);
            }
            if self.stream.read_buf(&mut self.input).await? == 0 {
                return Err(Trouble::Closed);
            }
        }
    }

    async fn hear(&mut self) -> Result<AMQPClass, Trouble> {
        loop {
            match self.next().await? {
                Frame::Method(_, AMQPClass::Connection(connection::AMQPMethod::Close(close))) => {
                    return Err(Trouble::Refused(close.reply_code, close.reply_text.to_string()));
                }
                Frame::Method(_, AMQPClass::Channel(channel::AMQPMethod::Close(close))) => {
                    return Err(Trouble::Refused(close.reply_code, close.reply_text.to_string()));
                }
                Frame::Method(_, method) => return Ok(method),
                _ => {}
            }
        }
    }
}

async fn connect(address: &Address) -> Result<Box<dyn ByteStream>, Trouble> {
    let stream = TcpStream::connect((&*address.host, address.port)).await?;
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY could not be set");
    }
    #[cfg(feature = "tls")]
    if let Some(tls) = &address.tls {
        return Ok(Box::new(tls.connect(stream, &address.host).await?));
    }
    Ok(Box::new(stream))
}

/// What the broker is told of the program, and shows to its operators.
fn properties(name: &str) -> FieldTable {
    let mut capabilities = FieldTable::default();
    for capability in ["authentication_failure_close", "connection.blocked", "consumer_cancel_notify"] {
        capabilities.insert(short(capability), AMQPValue::Boolean(true));
    }
    let mut properties = FieldTable::default();
    for (key, value) in
        [("product", "trunkline"), ("version", env!("CARGO_PKG_VERSION")), ("connection_name", name)]
    {
        properties.insert(short(key), AMQPValue::LongString(value.into()));
    }
    properties.insert(short("capabilities"), AMQPValue::FieldTable(capabilities));
    properties
}
