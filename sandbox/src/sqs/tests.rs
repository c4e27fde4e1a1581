//! The rules of aws.md §6.7.

use super::*;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;
const URL: &str = "https://sqs.eu-west-1.amazonaws.com/111122223333/events";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn queues(fixture: &str) -> Sqs {
    let mut sqs = Sqs::new("111122223333", "eu-west-1", 1);
    sqs.load(&serde_json::from_value(serde_json::from_str(fixture).unwrap()).unwrap(), NOW);
    sqs
}

fn ok(sqs: &mut Sqs, operation: &str, more: &Value, now: Timestamp) -> Value {
    let mut input = json!({ "QueueUrl": URL });
    for (name, value) in more.as_object().unwrap() {
        input[name] = value.clone();
    }
    sqs.call(operation, &input, now).unwrap_or_else(|error| panic!("{operation}: {error:?}"))
}

fn code(sqs: &mut Sqs, operation: &str, input: &Value) -> String {
    sqs.call(operation, input, NOW).unwrap_err().code
}

fn receive(sqs: &mut Sqs, now: Timestamp) -> Vec<Value> {
    let answer = ok(sqs, "ReceiveMessage", &json!({ "MaxNumberOfMessages": 10 }), now);
    answer.get("Messages").and_then(Value::as_array).cloned().unwrap_or_default()
}

#[test]
fn a_message_is_hidden_when_received_and_comes_again_unless_deleted() {
    let mut sqs = queues(r#"{"name": "events"}"#);
    let sent = ok(&mut sqs, "SendMessage", &json!({ "MessageBody": "hello" }), NOW);
    assert_eq!(sent["MD5OfMessageBody"], "5d41402abc4b2a76b9719d911017c592");
    let first = receive(&mut sqs, NOW);
    assert_eq!((first.len(), &first[0]["Body"]), (1, &json!("hello")));
    assert_eq!(first[0]["MD5OfBody"], sent["MD5OfMessageBody"]);
    assert_eq!(receive(&mut sqs, at(29)), [Value::Null; 0], "no member `Messages`");
    let again = receive(&mut sqs, at(30));
    assert_eq!(again[0]["MessageId"], first[0]["MessageId"]);
    let handle = |message: &Value| json!({ "ReceiptHandle": message["ReceiptHandle"] });
    ok(&mut sqs, "DeleteMessage", &handle(&first[0]), at(31));
    assert_eq!(receive(&mut sqs, at(60)).len(), 1, "an older receipt deletes nothing");
    let last = receive(&mut sqs, at(90));
    ok(&mut sqs, "DeleteMessage", &handle(&last[0]), at(91));
    assert_eq!(receive(&mut sqs, at(500)), [Value::Null; 0]);
}

#[test]
fn duplicates_come_one_by_one() {
    let mut sqs = queues(r#"{"name": "events", "duplicates": true}"#);
    ok(&mut sqs, "SendMessage", &json!({ "MessageBody": "x" }), NOW);
    let both = receive(&mut sqs, NOW);
    assert_eq!(both.len(), 2);
    assert_eq!(both[0]["MessageId"], both[1]["MessageId"]);
    let receipt = json!({ "ReceiptHandle": both[0]["ReceiptHandle"] });
    ok(&mut sqs, "DeleteMessage", &receipt, NOW);
    assert_eq!(receive(&mut sqs, at(60)).len(), 1);
}

#[test]
fn batches_answer_for_each_entry() {
    let mut sqs = queues(r#"{"name": "events"}"#);
    let entries = json!([{ "Id": "a", "MessageBody": "1" }, { "Id": "b", "MessageBody": "" }]);
    let sent = ok(&mut sqs, "SendMessageBatch", &json!({ "Entries": entries }), NOW);
    assert_eq!(
        (&sent["Successful"][0]["Id"], &sent["Failed"][0]["Id"]),
        (&json!("a"), &json!("b"))
    );
    let message = &receive(&mut sqs, NOW)[0];
    let entries = json!([
        { "Id": "a", "ReceiptHandle": message["ReceiptHandle"] }, { "Id": "b", "ReceiptHandle": "x" },
    ]);
    let deleted = ok(&mut sqs, "DeleteMessageBatch", &json!({ "Entries": entries }), NOW);
    assert_eq!(deleted["Successful"], json!([{ "Id": "a" }]));
    assert_eq!(deleted["Failed"][0]["Code"], "ReceiptHandleIsInvalid");
    for (entries, expected) in [
        (json!([]), "EmptyBatchRequest"),
        (json!(vec![json!({"Id": "a"}); 11]), "TooManyEntriesInBatchRequest"),
        (json!([{"Id": "a"}, {"Id": "a"}]), "BatchEntryIdsNotDistinct"),
    ] {
        let input = json!({ "QueueUrl": URL, "Entries": entries });
        assert_eq!(code(&mut sqs, "DeleteMessageBatch", &input), expected);
    }
}

#[test]
fn visibility_can_be_changed_and_attributes_count() {
    let mut sqs = queues(r#"{"name": "events", "visibilityTimeout": "5s"}"#);
    for body in ["a", "b"] {
        ok(&mut sqs, "SendMessage", &json!({ "MessageBody": body }), NOW);
    }
    ok(&mut sqs, "SendMessage", &json!({ "MessageBody": "later", "DelaySeconds": 60 }), NOW);
    let one = ok(&mut sqs, "ReceiveMessage", &json!({ "AttributeNames": ["All"] }), NOW);
    let message = &one["Messages"][0];
    assert_eq!(message["Attributes"]["ApproximateReceiveCount"], "1");
    let names = json!({ "AttributeNames": ["All"] });
    let told = ok(&mut sqs, "GetQueueAttributes", &names, NOW)["Attributes"].clone();
    assert_eq!(told["ApproximateNumberOfMessages"], "1");
    assert_eq!(told["ApproximateNumberOfMessagesNotVisible"], "1");
    assert_eq!(told["ApproximateNumberOfMessagesDelayed"], "1");
    assert_eq!(told["QueueArn"], "arn:aws:sqs:eu-west-1:111122223333:events");
    let input = json!({ "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 0 });
    ok(&mut sqs, "ChangeMessageVisibility", &input, NOW);
    assert_eq!(receive(&mut sqs, NOW).len(), 2);
    assert_eq!(receive(&mut sqs, at(60)).len(), 3);
}

#[test]
fn what_there_is_not_and_what_is_out_of_bounds_is_refused() {
    let mut sqs = queues(r#"{"name": "events"}"#);
    let elsewhere = "https://sqs.eu-west-1.amazonaws.com/444455556666/events";
    for url in ["https://sqs.eu-west-1.amazonaws.com/111122223333/none", elsewhere, "events", ""] {
        let input = json!({ "QueueUrl": url });
        assert_eq!(code(&mut sqs, "ReceiveMessage", &input), "QueueDoesNotExist", "{url}");
    }
    for (name, value) in
        [("MaxNumberOfMessages", 11), ("WaitTimeSeconds", 21), ("VisibilityTimeout", -1)]
    {
        let mut input = json!({ "QueueUrl": URL });
        input[name] = json!(value);
        assert_eq!(code(&mut sqs, "ReceiveMessage", &input), "InvalidParameterValue", "{name}");
    }
    let created = sqs.call("CreateQueue", &json!({ "QueueName": "other" }), NOW).unwrap();
    assert_eq!(created["QueueUrl"], "https://sqs.eu-west-1.amazonaws.com/111122223333/other");
    assert_eq!(
        code(&mut sqs, "CreateQueue", &json!({ "QueueName": "a b" })),
        "InvalidParameterValue"
    );
    let found = sqs.call("ListQueues", &json!({ "QueueNamePrefix": "ev" }), NOW).unwrap();
    assert_eq!(found, json!({ "QueueUrls": [URL] }));
    ok(&mut sqs, "DeleteQueue", &json!({}), NOW);
    assert_eq!(
        code(&mut sqs, "GetQueueUrl", &json!({ "QueueName": "events" })),
        "QueueDoesNotExist"
    );
    assert_eq!(legacy_code("QueueDoesNotExist"), "AWS.SimpleQueueService.NonExistentQueue;Sender");
}
