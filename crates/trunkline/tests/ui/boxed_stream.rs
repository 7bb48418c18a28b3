use std::pin::Pin;

#[trunkline::service]
trait Clock {
    async fn ticks(&self) -> Pin<Box<dyn futures_util::Stream<Item = u64> + Send>>;

    async fn count(&self, of: std::cell::Cell<u8>) -> u8;
}

fn main() {}

//~ 5:30 what comes bit by bit is written `impl Stream<Item = T>`
//~ 7:31 it is `Send`, `Sync` and `'static` besides
