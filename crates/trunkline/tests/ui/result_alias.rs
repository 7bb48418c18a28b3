type Answer = Result<i64, trunkline::Fault>;

#[trunkline::service]
trait Math {
    async fn add(&self, a: i64, b: i64) -> Answer;
}

fn main() {}
