//! What fails says why and what to do next, with an exit code that scripts can use.

use crate::story::Story;

#[tokio::test]
async fn what_fails_says_in_a_file_what_it_says() {
    let story = Story::begin().await;
    story.told(&["volume", "init", "db.hcl"]).await;
    story.told(&["volume", "create", "db.hcl"]).await;
    for id in ["pg-a", "pg-b"] {
        story.dev.create(id, "local").await;
    }
    story.write("nfs.hcl", "id = \"x\"\nname = \"x\"\nplugin_id = \"nfs\"\ncapability {\n  access_mode = \"single-node-writer\"\n  attachment_mode = \"file-system\"\n}\n");
    story.write("typing.hcl", "id = \"x\"\ncapacity_mim = \"1GiB\"\n");
    story.write("nothing.yaml", "volumes: []\n");
    story.write("bare.hcl", "id = \"x\"\n");
    let text = story
        .piped(&[
            "volume status nope",
            "volume status pg-",
            "volume delete nope",
            "volume create nfs.hcl",
            "volume create typing.hcl",
            "volume create nothing.yaml",
            "volume create bare.hcl",
            "volume register db.hcl",
            "volume create no-such.hcl",
            "volume create --wait soon db.hcl",
            "volume create",
            "volume list --external",
            "volume list --colour",
            "volume snapshot create nope nightly",
            "volume snapshot list --plugin nope",
            "volume snapshot create pgdata nightly --parameter odd",
            "volume snapshot delete local snap-nope",
            "plugin status nope",
            "operation status nope",
            "operation retry nope",
            "operation abandon nope",
            "operation abandon --reason scrapped nope",
            "operation list --state lost",
            "volume list --region mars",
            "volume claim nope",
            "volume claim --access-mode everybody pgdata",
            "volume claim --access-mode multi-node-multi-writer --attachment-mode file-system pgdata",
            "volume claim --allocation web pgdata",
            "volume claim --node zz pgdata",
            "volume claim --node 11111111-2222-3333-4444-555555555555 pgdata",
            "volume claim --target-path relative pgdata",
            "volume claim --on-reboot forget pgdata",
            "volume claim --detach --follow pgdata",
            "volume release nope",
            "volume release pgdata zz",
            "volume release pgdata 11111111-2222-3333-4444-555555555555",
            "volume claims nope",
            "volume claims --state lost pgdata",
            "volume retry nope",
            "node status zz",
            "node fence 11111111-2222-3333-4444-555555555555",
            "node fence --reason gone 11111111-2222-3333-4444-555555555555",
            "node unfence 11111111-2222-3333-4444-555555555555",
            "volume delete --secret odd pgdata",
        ])
        .await;
    expectorate::assert_contents("tests/cli/failures.txt", &text);
    story.dev.stop().await;
}

fn example() -> String {
    include_str!("../../src/cli/volume/example.hcl").to_owned()
}

#[tokio::test]
async fn a_file_that_is_there_is_left_as_it_is() {
    let story = Story::begin().await;
    story.write("mine.hcl", "precious");
    let said = story.run(&["volume", "init", "mine.hcl"]).await;
    assert_eq!(said.code, Some(4), "{said:?}");
    assert_eq!(
        std::fs::read_to_string(story.path("mine.hcl")).unwrap(),
        "precious"
    );
    assert_eq!(story.told(&["volume", "init", "-"]).await, example());
    story.dev.stop().await;
}

#[tokio::test]
async fn an_external_id_that_another_volume_has_is_a_conflict() {
    let story = Story::begin().await;
    story.dev.create("a", "local").await;
    let (_, volume) = story.dev.get("/v1/volume/csi/a").await;
    let external = volume["ExternalID"].as_str().unwrap();
    let text = format!(
        "{}\nexternal_id = \"{external}\"",
        example().replace("pgdata", "b")
    );
    let said = story
        .run_with_input(&["volume", "register", "-"], &text)
        .await;
    assert_eq!(said.code, Some(4), "{said:?}");
    story.dev.stop().await;
}

#[tokio::test]
async fn exit_codes_are_the_same_where_statuses_are_nomads() {
    let story = Story::begin_with(&["--status", "nomad"]).await;
    for args in [
        &["volume", "status", "nope"][..],
        &["volume", "delete", "nope"],
        &["plugin", "status", "nope"],
    ] {
        assert_eq!(story.run(args).await.code, Some(3), "{args:?}");
    }
    story.dev.stop().await;
}
