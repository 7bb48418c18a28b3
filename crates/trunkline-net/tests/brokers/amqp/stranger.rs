//! [`Stranger`]: somebody on the same RabbitMQ who is no node, such as a process of `therms`.

use amq_protocol::{
    frame::{AMQPContentHeader, AMQPFrame, WriteContext, gen_frame, parse_frame},
    protocol::{AMQPClass, BasicProperties, basic, channel, connection, exchange, queue},
    types::FieldTable,
};
use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

/// Somebody on the same RabbitMQ who is no node. Everything blocks, up to a minute.
pub(crate) struct Stranger {
    stream: TcpStream,
    input: Vec<u8>,
}

impl Stranger {
    /// Connects to `amqp://guest:guest@127.0.0.1:port`, with an open channel.
    pub(crate) fn connect(uri: &str) -> Self {
        let stream = TcpStream::connect(uri.rsplit_once('@').unwrap().1).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let mut stranger = Self { stream, input: Vec::new() };
        stranger.stream.write_all(b"AMQP\0\0\x09\x01").unwrap();
        stranger.hear();
        let start_ok = connection::StartOk {
            client_properties: FieldTable::default(),
            mechanism: "PLAIN".into(),
            response: "\0guest\0guest".into(),
            locale: "en_US".into(),
        };
        stranger.connection(connection::AMQPMethod::StartOk(start_ok));
        stranger.hear();
        let tune_ok = connection::TuneOk { channel_max: 1, frame_max: 131_072, heartbeat: 0 };
        stranger.connection(connection::AMQPMethod::TuneOk(tune_ok));
        stranger.connection(connection::AMQPMethod::Open(connection::Open { virtual_host: "/".into() }));
        stranger.hear();
        stranger.ask(AMQPClass::Channel(channel::AMQPMethod::Open(channel::Open {})));
        stranger
    }

    /// Says something, and hears what there is to say to it.
    pub(crate) fn ask(&mut self, method: AMQPClass) -> AMQPFrame {
        self.say(&AMQPFrame::Method(1, method));
        self.hear()
    }

    pub(crate) fn publish(&mut self, exchange: &str, key: &str, properties: BasicProperties, body: &[u8]) {
        self.begin_to_publish(exchange, key);
        let body_size = body.len() as u64;
        self.say(&AMQPFrame::Header(1, AMQPContentHeader { class_id: 60, body_size, properties }));
        self.say(&AMQPFrame::Body(1, body.to_vec()));
    }

    /// With properties that the codec would not write: their flags, and what they are.
    pub(crate) fn publish_odd(
        &mut self,
        exchange: &str,
        key: &str,
        flags: u16,
        properties: &[u8],
        body: &[u8],
    ) {
        self.begin_to_publish(exchange, key);
        let size = (body.len() as u64).to_be_bytes();
        let payload = [&[0, 60, 0, 0][..], &size, &flags.to_be_bytes(), properties].concat();
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        self.stream.write_all(&[&[2, 0, 1][..], &length, &payload, &[206]].concat()).unwrap();
        self.say(&AMQPFrame::Body(1, body.to_vec()));
    }

    fn begin_to_publish(&mut self, exchange: &str, key: &str) {
        let publish = basic::Publish {
            exchange: exchange.into(),
            routing_key: key.into(),
            mandatory: false,
            immediate: false,
        };
        self.say(&AMQPFrame::Method(1, AMQPClass::Basic(basic::AMQPMethod::Publish(publish))));
    }

    /// A queue of its own, bound as processes of `therms` bind theirs, and consumed.
    pub(crate) fn listen(&mut self, name: &str, exchange: &str, key: &str) {
        self.ask(AMQPClass::Queue(queue::AMQPMethod::Declare(queue::Declare {
            queue: name.into(),
            passive: false,
            durable: false,
            exclusive: false,
            auto_delete: true,
            nowait: false,
            arguments: FieldTable::default(),
        })));
        self.ask(AMQPClass::Queue(queue::AMQPMethod::Bind(queue::Bind {
            queue: name.into(),
            exchange: exchange.into(),
            routing_key: key.into(),
            nowait: false,
            arguments: FieldTable::default(),
        })));
        self.ask(AMQPClass::Basic(basic::AMQPMethod::Consume(basic::Consume {
            queue: name.into(),
            consumer_tag: "c".into(),
            no_local: false,
            no_ack: true,
            exclusive: false,
            nowait: false,
            arguments: FieldTable::default(),
        })));
    }

    pub(crate) fn declare_exchange(&mut self, name: &str, kind: &str) {
        self.ask(AMQPClass::Exchange(exchange::AMQPMethod::Declare(exchange::Declare {
            exchange: name.into(),
            kind: kind.into(),
            passive: false,
            durable: true,
            auto_delete: false,
            internal: false,
            nowait: false,
            arguments: FieldTable::default(),
        })));
    }

    pub(crate) fn delete_exchange(&mut self, name: &str) {
        let delete = exchange::Delete { exchange: name.into(), if_unused: false, nowait: false };
        self.ask(AMQPClass::Exchange(exchange::AMQPMethod::Delete(delete)));
    }

    /// Declares a queue as we do not.
    pub(crate) fn declare_queue(&mut self, name: &str, exclusive: bool) {
        self.ask(AMQPClass::Queue(queue::AMQPMethod::Declare(queue::Declare {
            queue: name.into(),
            passive: false,
            durable: true,
            exclusive,
            auto_delete: false,
            nowait: false,
            arguments: FieldTable::default(),
        })));
    }

    pub(crate) fn delete_queue(&mut self, name: &str) {
        let delete = queue::Delete { queue: name.into(), if_unused: false, if_empty: false, nowait: false };
        self.ask(AMQPClass::Queue(queue::AMQPMethod::Delete(delete)));
    }

    /// The next message, of one frame.
    pub(crate) fn message(&mut self) -> (BasicProperties, Vec<u8>) {
        let AMQPFrame::Method(..) = self.hear() else { panic!("a message begins with a method") };
        let AMQPFrame::Header(_, header) = self.hear() else { panic!("then has a header") };
        let AMQPFrame::Body(_, body) = self.hear() else { panic!("and a body") };
        (header.properties, body)
    }

    fn connection(&mut self, method: connection::AMQPMethod) {
        self.say(&AMQPFrame::Method(0, AMQPClass::Connection(method)));
    }

    fn say(&mut self, frame: &AMQPFrame) {
        let written = gen_frame(frame)(WriteContext::from(Vec::new())).unwrap();
        self.stream.write_all(&written.into_inner().0).unwrap();
    }

    fn hear(&mut self) -> AMQPFrame {
        loop {
            if let Ok((rest, frame)) = parse_frame(&self.input[..]) {
                self.input = rest.to_vec();
                return frame;
            }
            let mut part = [0; 4096];
            let read = self.stream.read(&mut part).unwrap();
            assert!(read > 0, "RabbitMQ has closed the connection");
            self.input.extend(&part[..read]);
        }
    }
}
