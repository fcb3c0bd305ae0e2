//! Where saddlebag answers otherwise about what was not recorded.

/// One way in which answers differ, shown by a test elsewhere.
pub struct Unrecorded {
    /// What it is about.
    pub matter: &'static str,
    /// What Nomad does.
    pub nomad: &'static str,
    /// What saddlebag does.
    pub saddlebag: &'static str,
    /// Why.
    pub why: &'static str,
    /// The file, below `tests`, and the name of the test that shows it.
    pub test: (&'static str, &'static str),
}

pub const UNRECORDED: &[Unrecorded] = &[
    Unrecorded {
        matter: "an `index` above 2^63 - 1",
        nomad: "waits for it",
        saddlebag: "400 `Invalid index`",
        why: "many generators know no unsigned 64-bit numbers, and no server ever gets there",
        test: (
            "edge/options.rs",
            "the_first_wrong_parameter_decides_in_nomads_order",
        ),
    },
    Unrecorded {
        matter: "`reverse` that is no boolean",
        nomad: "false",
        saddlebag: "400",
        why: "a typing error is told, and not passed over",
        test: (
            "edge/options.rs",
            "the_first_wrong_parameter_decides_in_nomads_order",
        ),
    },
    Unrecorded {
        matter: "a malformed `wait` of the event stream",
        nomad: "tells of it in an answer that no client can read",
        saddlebag: "400 `Invalid wait time`",
        why: "a typing error is told",
        test: (
            "api/events.rs",
            "a_malformed_wait_is_refused_before_anything_is_told",
        ),
    },
    Unrecorded {
        matter: "`wait` of a change",
        nomad: "is not read",
        saddlebag: "how long the answer waits for the outcome; 400 if it is malformed",
        why: "who cannot wait asks again, and joins what is under way",
        test: ("edge/options.rs", "changes_wait_two_minutes_unless_told"),
    },
    Unrecorded {
        matter: "`SecretsFrom` in requests",
        nomad: "is an unknown key, and ignored",
        saddlebag: "names where secrets are read from; 400 if it is malformed",
        why: "secrets need not pass through those who make volumes",
        test: (
            "api/secrets_from.rs",
            "what_cannot_be_read_is_refused_by_its_reference",
        ),
    },
    Unrecorded {
        matter: "topologies of requests without `Segments`",
        nomad: "hold nothing: their keys are unknown",
        saddlebag: "hold segments, which have to be texts",
        why: "the API's pages write them so",
        test: ("edge/bodies.rs", "what_a_client_may_set_is_read"),
    },
    Unrecorded {
        matter: "more than 32 volumes in one request",
        nomad: "takes any number",
        saddlebag: "400",
        why: "a change is stored whole or not at all, and what is stored at once is bounded",
        test: (
            "api/several.rs",
            "a_request_holds_at_most_32_volumes_and_none_of_them_twice",
        ),
    },
    Unrecorded {
        matter: "`global` of the list of tokens",
        nomad: "is documented, and not read",
        saddlebag: "lists only tokens of every region",
        why: "that is what the parameter says",
        test: (
            "api/acl_lists.rs",
            "a_list_of_tokens_is_narrowed_by_region_and_by_what_it_shows_but_not_by_secrets",
        ),
    },
    Unrecorded {
        matter: "tokens for one use (`/v1/acl/token/onetime`, `…/exchange`)",
        nomad: "are given to who has a token, for its web pages",
        saddlebag: "400 and 404",
        why: "there are no such pages here",
        test: ("api/acl.rs", "nobody_is_given_a_token_for_one_use"),
    },
    Unrecorded {
        matter: "filters on tokens",
        nomad: "are asked of the whole token, its secret included",
        saddlebag: "are asked of what the list shows",
        why: "nothing shows a secret",
        test: (
            "api/acl_lists.rs",
            "a_list_of_tokens_is_narrowed_by_region_and_by_what_it_shows_but_not_by_secrets",
        ),
    },
];
