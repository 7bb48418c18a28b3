#![allow(unused_imports)]

use futures_util::Stream;

#[trunkline::service]
trait Sums {
    async fn zip(&self, left: impl Stream<Item = u64>, right: impl Stream<Item = u64>) -> u64;

    async fn named(&self, #[arg(name = "values")] numbers: impl Stream<Item = u64>) -> u64;

    async fn of_what(&self, numbers: impl Stream) -> u64;

    async fn all(&self, numbers: impl Iterator<Item = u64>) -> u64;

    #[procedure(notification)]
    async fn told(&self, numbers: impl Stream<Item = u64>);
}

fn main() {}

//~ 7:56 a procedure takes one stream of its caller at most: send the items of both as one, for example as an enum
//~ 9:27 a stream is sent beside the arguments: it has neither a name nor a default; drop `#[arg]`
//~ 11:38 say what the items of the stream are: `impl Stream<Item = T>`
//~ 13:34 callers need to know the type: write a concrete one instead of `impl …`
//~ 16:26 a notification takes no stream: nothing tells whose the items would be; make it a call
