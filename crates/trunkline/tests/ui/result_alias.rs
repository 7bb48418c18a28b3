type Answer = Result<i64, trunkline::Fault>;

#[trunkline::service]
trait Math {
    async fn add(&self, a: i64, b: i64) -> Answer;
}

fn main() {}

//~ 5:44 `Result<i64, Fault>` cannot travel between a service and its clients
//~ 5:44 a `Result` is written out, or called `Result`: an alias of another name is taken for a value
