//! A request and its answer by way of RabbitMQ with nothing but lapin: `--role handler` answers 3, `--role caller`
//! keeps `--window` tasks asking.
//!
//! Requests go to a queue for all handlers and come with a prefetch and acknowledgements, so that what one held that
//! dies goes to another; answers come by direct reply-to. Nothing is persistent or confirmed.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use anyhow::{Context, Result, bail};
use futures_util::{StreamExt, TryStreamExt};
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, QueueDeclareOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, Consumer};
use rivals::args::Args;
use rivals::callers::measure;
use rivals::serve::{announce, run, runtime};
use tokio::sync::oneshot;
use tokio::task::{LocalSet, spawn_local};

const QUEUE: &str = "bare";
const REPLY_TO: &str = "amq.rabbitmq.reply-to";
/// As many as a node of trunkline takes.
const PREFETCH: u16 = 256;

/// Those who wait for answers, by what they have said that tells their requests apart.
type Waiting = Rc<RefCell<HashMap<String, oneshot::Sender<Vec<u8>>>>>;

fn main() -> Result<()> {
    let args = Args::from_env()?;
    match args.text("role") {
        Some("handler") => run(async |args| respond(&args).await),
        Some("caller") => runtime(&args)?.block_on(LocalSet::new().run_until(request(&args))),
        _ => bail!("--role is caller or handler"),
    }
}

async fn channel(args: &Args) -> Result<(Connection, Channel)> {
    let uri: String = args.need("broker")?;
    let connection = Connection::connect(&uri, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    Ok((connection, channel))
}

async fn consume(channel: &Channel, queue: &str, no_ack: bool) -> Result<Consumer> {
    let options = BasicConsumeOptions { no_ack, ..Default::default() };
    Ok(channel.basic_consume(queue.into(), "".into(), options, FieldTable::default()).await?)
}

async fn publish(channel: &Channel, to: &str, properties: BasicProperties, body: &[u8]) -> Result<()> {
    // What it gives is the broker's confirmation, which is not asked for.
    drop(
        channel.basic_publish("".into(), to.into(), BasicPublishOptions::default(), body, properties).await?,
    );
    Ok(())
}

async fn respond(args: &Args) -> Result<()> {
    let (_connection, channel) = channel(args).await?;
    channel.basic_qos(PREFETCH, BasicQosOptions::default()).await?;
    let queue = QueueDeclareOptions { auto_delete: true, ..Default::default() };
    channel.queue_declare(QUEUE.into(), queue, FieldTable::default()).await?;
    let requests = consume(&channel, QUEUE, false).await?;
    announce(&[]);
    // Answers are not made to wait for each other: lapin sends those together that are said together.
    requests.map(anyhow::Ok).try_for_each_concurrent(None, |request| answer(&channel, request)).await?;
    bail!("the broker is gone")
}

async fn answer(channel: &Channel, request: lapin::Result<Delivery>) -> Result<()> {
    let request = request?;
    let asked = &request.properties;
    let reply_to = asked.reply_to().as_ref().context("a request says where its answer goes")?;
    let id = asked.correlation_id().clone().context("a request has an id")?;
    publish(channel, reply_to.as_str(), BasicProperties::default().with_correlation_id(id), b"3").await?;
    request.ack(BasicAckOptions::default()).await?;
    Ok(())
}

async fn request(args: &Args) -> Result<()> {
    let (_connection, channel) = channel(args).await?;
    let waiting = Waiting::default();
    // Before the first request: direct reply-to must be consumed on the channel that publishes.
    let answers = consume(&channel, REPLY_TO, true).await?;
    spawn_local(hear(answers, Rc::clone(&waiting)));
    let ids = Rc::new(RefCell::new(0_u64));
    let call = move || {
        let (channel, waiting) = (channel.clone(), Rc::clone(&waiting));
        let id = {
            let mut ids = ids.borrow_mut();
            *ids += 1;
            ids.to_string()
        };
        async move {
            let (sender, answer) = oneshot::channel();
            let properties = BasicProperties::default()
                .with_correlation_id(id.as_str().into())
                .with_reply_to(REPLY_TO.into());
            waiting.borrow_mut().insert(id, sender);
            publish(&channel, QUEUE, properties, br#"{"a":1,"b":2}"#).await?;
            Ok(std::str::from_utf8(&answer.await?)?.parse()?)
        }
    };
    measure(args, call).await
}

async fn hear(mut answers: Consumer, waiting: Waiting) {
    while let Some(Ok(answer)) = answers.next().await {
        let id = answer.properties.correlation_id().as_ref().map(|id| id.as_str());
        if let Some(sender) = id.and_then(|id| waiting.borrow_mut().remove(id)) {
            // Whoever waited may have ended with the measurement.
            let _ = sender.send(answer.data);
        }
    }
    // Those who still wait find their senders gone.
    waiting.borrow_mut().clear();
}
