//! The library in a real browser, without a server: WebSocket, `fetch` and clock are stand-ins.
//!
//! Each test is an exported function of a JavaScript module in `tests/browser`, because JavaScript
//! is what calls the library. They are listed here, under the first part of the module's path;
//! `cargo xtask test browser` reports a test that isn't listed. The tests of the typed API are
//! written in Rust. All are one program, because each program costs a start of the browser.

#![cfg(target_arch = "wasm32")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail by a panic"
)]

// Its exports are what the page of the tests calls.
use signal_wasm as _;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test_configure;

wasm_bindgen_test_configure!(run_in_browser);

#[cfg(feature = "typed")]
#[path = "browser/stage.rs"]
mod stage;
#[cfg(feature = "typed")]
#[path = "browser/typed/mod.rs"]
mod typed;

#[wasm_bindgen(module = "/tests/browser/support/page.js")]
extern "C" {
    /// Runs a test: the function of that name that the module exports.
    #[wasm_bindgen(catch)]
    async fn run(module: &str, name: &str) -> Result<(), JsValue>;
}

/// Makes tests of the functions that a module of `tests/browser` exports.
macro_rules! tests {
    ($module:literal: $($name:ident,)+) => {$(
        #[wasm_bindgen_test::wasm_bindgen_test]
        async fn $name() -> Result<(), wasm_bindgen::JsValue> {
            crate::run($module, stringify!($name)).await
        }
    )+};
}

mod api {
    tests! { "api/events.js":
        it_is_an_event_target,
        changes_of_state,
        errors_and_gaps,
        frames_from_the_first_listener_on,
        a_listener_that_throws_stops_nothing,
        a_listener_may_call_back,
        a_page_that_listens_needs_no_warning,
    }
    tests! { "api/channels.js":
        a_listener_with_options_is_removed,
        a_message_that_comes_while_the_channel_is_opened,
        each_listener_hears_each_message,
        a_listener_that_throws_keeps_nothing_from_the_others,
        a_channel_is_opened_several_times,
        the_functions_of_the_shim_beside_it,
        a_channel_that_is_given_back,
        a_channel_that_is_given_back_stays_subscribed,
        a_channel_whose_listeners_are_gone_isnt_given_back,
        names,
        it_is_closed_with_its_signal_or_its_signaling,
        sending_after_the_end_of_the_signaling,
        a_loop_takes_one_message_after_the_other,
        a_loop_that_breaks_hears_no_more,
        a_loop_that_is_ended_while_it_waits,
        a_loop_that_is_behind_loses_the_oldest,
        disposing,
        messages_wait_as_ever,
    }
    tests! { "api/publishing.js":
        accepted_by_our_relay,
        accepted_by_an_ordinary_server,
        dropped_in_each_way,
        refused_by_our_relay,
        refused_by_a_hub_and_by_a_transport,
        refused_by_an_event_server,
        given_up,
        aborted,
        in_handlers,
    }
}

mod auto {
    tests! { "auto.js":
        a_hello_means_our_relay,
        another_first_frame_means_an_ordinary_server,
        silence_means_an_ordinary_server,
        it_is_the_default,
        what_is_no_json_tells_nothing,
        a_late_hello_switches_in_place,
        an_ordinary_server_is_known_the_next_time,
        a_relay_is_known_the_next_time,
        a_relay_that_became_an_ordinary_server,
        a_hello_that_another_page_made_up,
        a_hello_amid_a_plain_connection_is_nothing,
        with_protocol_websocket_a_hello_is_nothing,
        relay_insists,
        a_transport_is_plain,
        readiness_that_waits_for_the_connection,
    }
}

mod connection {
    tests! { "connection/reconnecting.js":
        states_come_with_their_reasons,
        the_next_attempt_comes_at_its_time_and_not_before,
        attempts_come_later_and_later_up_to_the_cap,
        a_connection_that_worked_restarts_the_count,
        attempts_are_counted,
        reconnect_false_means_never,
        final_close_codes_are_final,
        a_browser_that_refuses_to_make_a_socket,
        an_error_event_alone_can_be_the_end,
        a_refusal_at_the_next_attempt_ends_it_too,
    }
    tests! { "connection/messages.js":
        messages_sent_while_it_is_down_go_out_once_and_in_order,
        channels_stay_open_across_a_loss,
        a_socket_that_is_going_down_loses_no_message,
        a_socket_that_goes_down_amid_the_outbox,
        the_outbox_goes_out_before_the_page_hears_that_it_is_open,
        late_events_of_an_old_socket_are_nobodys,
        one_socket_serves_all_channels,
    }
    tests! { "connection/closing.js":
        close_lets_go_of_everything,
        close_tells_of_messages_that_were_never_sent,
        what_waits_on_an_open_connection_is_sent_before_it_closes,
        close_inside_each_handler,
        closing_where_there_is_no_symbol_dispose,
    }
    tests! { "connection/on_demand.js":
        connect_before_a_channel_is_opened,
        the_promise_of_a_connection,
        waiting_can_be_aborted,
        a_disconnected_page_stays_so,
        disconnect_inside_each_handler,
        a_transport_is_closed_and_opened_again,
        reconnect_tries_at_once,
        reconnect_replaces_an_open_connection,
        reconnect_with_a_transport_opens_it_again,
        a_browser_that_refuses_to_connect,
        a_connection_that_fails_for_good_says_why,
    }
    tests! { "connection/observing.js":
        one_thing_is_told_after_the_other,
        handlers_are_properties,
        frames_as_an_inspector_sees_them,
        the_counters_are_exact_and_a_snapshot,
    }
    tests! { "connection/signalings.js":
        two_signalings_on_one_page_stay_apart,
        the_default_signaling_is_configured_before_its_first_channel,
        a_configure_that_is_repeated_is_no_error,
        a_disconnected_default_is_in_use,
        a_refused_configure_changes_nothing,
        nothing_need_be_configured,
        attach,
        attach_to_several,
        a_closed_signaling_attaches_to_nothing,
        the_signaling_is_the_pages_own_object,
    }
}

mod credentials {
    tests! { "credentials.js":
        it_goes_where_the_protocol_has_it,
        servers_of_version_2_read_it_in_the_query,
        it_is_asked_for_on_each_attempt,
        functions_that_fail,
        functions_that_have_nothing_to_say,
        a_value_that_is_of_no_use,
        functions_that_answer_late,
        a_refusal_is_final_unless_there_is_something_new,
    }
}

mod leaks {
    tests! { "leaks/channels.js":
        ten_thousand_channels_opened_and_closed,
        ten_thousand_openings_of_one_channel,
        ten_thousand_messages_each_way,
        thousands_of_exceptions,
        the_outbox_lets_go_of_what_went_out,
        a_closed_channel_lets_go_of_its_config,
        what_is_open_stays,
        the_default_signaling_goes_when_another_takes_its_place,
        thousands_of_channels_with_listeners_and_promises,
    }
    tests! { "leaks/connections.js":
        a_hundred_signalings_opened_and_closed,
        a_thousand_reconnections_keep_one_socket,
        hundreds_of_connections_by_each_protocol,
        hundreds_of_attempts_that_fail,
        transports_that_hand_over_anything,
        hundreds_of_signalings_that_their_options_own,
        hundreds_of_addresses_that_are_asked_for,
        hundreds_of_signalings_that_listened_to_the_page,
    }
    tests! { "leaks/relay.js":
        thousands_of_reconnections_through_our_relay,
        thousands_of_promises_of_the_outbox,
    }
    tests! { "leaks/streams.js":
        hundreds_of_event_streams,
        hundreds_of_streams_and_requests_that_fail,
        hundreds_of_signalings_with_a_stream,
    }
}

mod life {
    tests! { "life/page.js":
        a_page_that_is_put_away_and_comes_back,
        put_away_in_each_state,
        a_page_that_is_put_away_for_good,
        what_listeners_send_while_the_page_is_being_hidden,
        a_browser_without_freeze,
        put_away_again_and_again,
        opening_and_sending_inside_the_showing,
        a_hidden_page_whose_timers_run_once_a_minute,
        a_page_that_slept,
    }
    tests! { "life/network.js":
        online_hurries_what_waits,
        online_restarts_the_count,
        online_and_offline_in_the_other_states,
        a_connection_that_is_doubted,
        a_connection_that_cannot_be_asked_is_replaced_if_it_stays_silent,
        a_connection_that_was_alive_after_all_is_kept,
        another_kind_of_network,
    }
    tests! { "life/listeners.js":
        what_is_listened_to_and_how_long,
        where_there_are_no_such_events,
        events_that_are_odd,
    }
}

mod options {
    tests! { "options/values.js":
        wrong_values_are_named_and_shown,
        the_sentence_says_what_it_must_be,
        subprotocols_are_offered_on_each_connection,
        undefined_is_the_default,
        unknown_options_are_named_and_the_known_ones_listed,
        the_options_must_be_an_object,
        what_a_getter_throws_is_the_pages_own,
        the_ends_of_each_range_are_taken,
        the_longest_delay_is_waited_for,
        a_timer_that_comes_early_is_set_again,
        the_options_are_read_once,
        a_browser_that_gives_no_random_numbers,
    }
    tests! { "options/addresses.js":
        urls_as_websocket_takes_them,
        urls_that_cannot_be,
        urls_that_lack_their_scheme,
        relative_urls_that_are_no_hosts,
        relative_urls_are_relative_to_the_base,
        a_blank_frame_has_the_address_of_its_page,
        the_addresses_that_come_of_them,
        the_namespace_that_comes_of_them,
        paths_that_cannot_be,
    }
}

mod outbox {
    tests! { "outbox/ttl.js":
        a_ttl_that_cannot_be,
        messages_that_expire_before_a_connection_comes,
        messages_that_expire_while_it_is_down,
        the_drop_is_told_when_its_time_comes,
        with_our_relay_too,
        sending_and_closing_inside_the_report,
        a_ttl_of_the_channel_is_for_messages_without_one,
        a_ttl_of_the_channel_that_cannot_be,
    }
    tests! { "outbox/flushed.js":
        flushed_when_nothing_waits,
        flushed_to_an_ordinary_server,
        flushed_to_our_relay,
        flushed_of_what_was_dropped,
        flushed_and_closed,
        flushed_inside_handlers,
        many_at_once,
    }
    tests! { "outbox/closed.js":
        closed_says_why,
        closed_whichever_way_it_ends,
    }
}

mod protocols {
    tests! { "protocols/messages.js":
        the_outbox_goes_out_when_the_server_is_ready,
        envelopes_are_delivered_dropped_and_counted,
        awkward_messages_and_names_go_out_and_come_in,
        names_of_every_length,
        of_frames_for_others_nothing_is_parsed,
    }
    tests! { "protocols/generated.js":
        thousands_of_envelopes_as_the_shim_reads_them,
    }
    tests! { "protocols/losses.js":
        a_connection_lost_at_each_step_is_tried_again,
        a_signaling_closed_at_each_step_is_closed,
    }
}

mod relay {
    tests! { "relay/frames.js":
        what_the_page_says,
        awkward_names,
        channels_before_the_answer,
        envelopes_before_the_answer,
        messages_come_with_ids_and_without,
        a_message_waits_until_it_is_acknowledged,
        acknowledgements_of_anything_else,
        gaps_are_told,
        frames_that_mean_nothing,
        a_silent_relay_is_given_up,
        how_often_a_relay_says_it_is_there,
        the_round_trip,
    }
}

mod requests {
    tests! { "requests.js":
        cookies_go_to_every_origin_by_default,
        the_pages_headers_go_with_each_request,
        the_pages_headers_go_to_no_other_origin,
        an_answer_that_the_page_may_not_read,
    }
}

mod resuming {
    tests! { "resuming.js":
        behind_the_last_message_on_each_channel,
        what_was_not_acknowledged_goes_again,
        losses_in_the_midst,
        channels_opened_and_closed_while_it_was_down,
        a_channel_closed_and_opened_again_while_it_was_down,
        a_relay_that_was_started_again,
        a_gap_is_told_before_what_comes_behind_it,
        a_message_that_brings_the_connection_down_twice,
        codes_that_blame_nobody,
        final_codes_are_final,
        closing_says_nothing_of_a_channel,
    }
}

mod rules {
    tests! { "rules/config.js":
        r1_the_config_is_an_object,
        r1_the_config_is_a_bare_function,
        r1_all_members_are_optional_and_the_config_is_only_read,
        r1_inherited_members_count,
        r1_misspelt_members_are_told_once,
        r1_anything_else_is_refused,
        r1_members_of_the_wrong_type_are_refused_by_name,
        r1_what_a_getter_of_the_config_throws_is_the_pages_own,
    }
    tests! { "rules/channel.js":
        r2_the_configs_channel_comes_first,
        r2_then_that_of_the_object_that_the_hook_hangs_on,
        r2_then_the_default,
        r2_where_the_shim_has_no_channel_messages_carry_none,
        r2_no_channel_to_be_had_is_an_error,
        r2_numbers_are_names_too,
        r2_a_this_that_is_no_connection,
        r3_the_handle_is_a_plain_extensible_mutable_object,
        r3_libraries_replace_send,
        r4_the_handles_channel_is_the_very_name,
    }
    tests! { "rules/trouble.js":
        a_server_of_another_protocol_is_named_once,
        what_the_answers_tell,
        a_page_with_a_handler_is_not_warned,
        the_end_of_all_attempts_is_told_too,
        no_token_is_in_any_text,
    }
    tests! { "rules/readiness.js":
        r5_readiness_comes_once_a_second_after_the_call,
        r5_callback_gets_the_handle_and_comes_instead_of_onopen,
        r5_a_callback_may_say_this_onopen,
        r5_readiness_is_never_before_the_call_returns,
        r5_the_timer_does_not_wait_for_the_connection,
        r5_open_when_connected_waits_for_timer_and_connection,
        r5_with_connected_readiness_comes_before_messages,
        r5_a_transport_that_opens_at_once_makes_nothing_ready_at_once,
        r5_openings_get_ready_in_their_order,
        r5_a_channel_closed_before_its_time_never_gets_ready,
        r5_readiness_in_real_time,
    }
    tests! { "rules/messages.js":
        r6_send_works_at_once_and_in_order,
        r6_an_open_socket_has_it_before_send_returns,
        r6_inside_a_handler_too,
        r6_inside_beforeunload_too,
        r7_values_are_fresh_and_plain,
        r7_onmessage_gets_one_argument,
        r7_ones_own_messages_are_not_delivered,
        r7_channels_that_are_not_open_are_dropped_not_kept,
        r7_a_channel_gets_messages_before_it_is_ready,
        r7_handlers_are_looked_up_at_each_delivery,
        r8_the_last_config_of_a_channel_wins,
        r8_closing_a_channel,
        r8_messages_sent_before_the_close_still_go_out,
        r8_nothing_depends_on_the_handle_being_kept,
    }
    tests! { "rules/callbacks.js":
        r10_opening_and_sending_inside_onmessage,
        r10_closing_inside_onmessage,
        r10_reopening_inside_its_own_onmessage,
        r10_opening_inside_onopen_and_callback,
        r10_everything_from_inside_every_handler,
        r10_a_socket_that_answers_inside_send,
        r10_a_transport_that_answers_each_message_of_a_long_outbox,
        r10_a_socket_that_ends_inside_send,
        r10_handlers_that_throw_are_reported_and_the_rest_still_run,
        r10_whatever_is_thrown_is_reported,
        r10_a_handler_that_recurses_without_end_breaks_nobody_else,
        r10_a_handler_that_reports_errors_itself,
    }
    tests! { "rules/throwing.js":
        a_handler_that_throws_however_it_is_reported,
        without_report_error_the_console_has_it,
        an_ongap_that_throws,
        getters_that_throw,
        messages_that_throw_while_they_become_json,
        functions_of_the_browser_that_throw,
        a_signaling_that_is_made_while_they_throw,
        sockets_that_are_not_quite_the_browsers,
        credentials_that_throw,
        a_fetch_that_is_not_quite_the_browsers,
        events_that_are_not_quite_the_browsers,
        promises_of_another_kind,
        listeners_that_cannot_be_removed,
        timers_that_throw_thousands_of_times,
    }
    tests! { "rules/hooks.js":
        r9_nothing_else_is_written_on_the_connection,
        r11_the_hooks_are_functions_that_know_their_this,
        r11_signaling_is_a_class,
    }
}

mod sending {
    tests! { "sending.js":
        values_that_json_cannot_hold,
        the_same_while_it_queues,
        max_message_counts_bytes_of_the_frame,
        max_message_is_a_million_bytes_by_default,
        a_server_closes_the_connection_over_a_message,
        the_outbox_is_bounded_in_messages,
        the_outbox_is_bounded_in_bytes_as_memory_has_them,
        the_outboxs_default_bounds,
        a_full_outbox_drops_its_oldest_message_and_says_so,
        closed_channels_and_signalings_say_so,
        a_long_name_is_cut_in_the_sentence,
    }
}

mod signalr {
    tests! { "signalr/records.js":
        from_the_first_request_to_open,
        other_targets_and_methods,
        records_of_every_type,
        records_split_at_every_place,
        a_handshake_with_records_behind_it_and_split,
        heartbeats,
    }
    tests! { "signalr/refusals.js":
        redirection,
        redirection_in_a_circle_ends,
        answers_that_refuse_or_fail,
        no_answer_at_all,
        an_answer_that_never_ends_is_not_read_for_ever,
        a_late_answer_has_no_say_in_a_later_one,
        a_handshake_that_is_refused_or_odd,
        the_server_ends_it,
    }
}

mod signalr_classic {
    tests! { "signalr_classic.js":
        from_the_first_request_to_open,
        records_of_every_kind,
        keep_alives_as_the_server_has_them,
        a_loss_is_resumed_by_the_last_cursor,
        what_cannot_be_resumed_is_opened_again,
        answers_that_refuse_or_fail,
    }
}

mod socket_io {
    tests! { "socket_io.js":
        a_server_of_version_4,
        a_server_of_version_2,
        a_server_of_version_4_that_says_no_max_payload,
        a_server_that_goes_without_a_word_is_asked_by_the_other_version,
        namespaces,
        events_of_every_kind,
        heartbeats_of_version_4,
        a_server_that_never_answers_is_tried_again,
        refusals_in_words,
        servers_that_are_others,
        the_server_closes_or_is_odd,
    }
}

mod sse {
    tests! { "sse.js":
        from_the_first_request_to_open,
        one_request_at_a_time,
        events_and_their_ids,
        where_a_stream_begins_and_what_it_missed,
        a_lost_stream_is_closed_and_not_heard_again,
        a_stream_that_cannot_be_opened,
        events_that_a_server_calls_open_or_error,
        a_browser_without_event_source,
        short_messages_are_kept_alive,
        an_answer_that_takes_too_long,
        an_accepted_message_does_not_wait_for_a_body,
        retry_after_as_servers_give_it,
        a_fetch_that_throws_or_gives_anything,
        a_request_does_not_end_with_its_stream,
        a_page_that_is_put_away_amid_a_request,
        a_signaling_that_is_closed_amid_a_request,
    }
}

mod transports {
    tests! { "transports/opening.js":
        one_without_open_is_open_from_the_start,
        one_that_opens_at_once_or_later,
        methods_are_called_as_methods,
        an_open_that_throws_is_tried_again,
        an_open_that_rejects_is_tried_again,
        messages_before_it_is_open,
        frames_that_are_no_strings,
        it_carries_any_protocol,
        one_that_takes_no_handlers_is_refused,
        a_ready_state_that_isnt_open,
    }
    tests! { "transports/promises.js":
        a_message_is_taken_when_its_promise_resolves,
        several_at_once_with_pipeline,
        a_rejection_is_like_an_exception,
        a_refused_message_leaves_the_connection_alone,
        promises_that_settle_after_the_loss,
        a_promise_that_never_settles_has_a_deadline,
        messages_come_in_meanwhile_and_frames_keep_their_order,
        other_results_are_ignored,
    }
    tests! { "transports/losing.js":
        a_send_that_throws_loses_no_message,
        what_a_transport_throws_at_twice_is_given_up,
        onclose_says_why_or_not,
        late_calls_are_nobodys,
        a_send_that_calls_back,
        a_send_that_says_it_is_closed,
        closing_from_inside,
        a_close_that_throws_or_calls_back,
    }
}

mod urls {
    tests! { "urls.js":
        what_it_may_give,
        it_is_asked_on_each_attempt,
        functions_that_fail,
        functions_that_answer_late,
        an_answer_to_an_earlier_question,
        beside_what_the_page_says_of_itself,
        what_is_known_of_one_server_is_not_believed_of_another,
    }
}

mod wire {
    tests! { "wire/outgoing.js":
        out_awkward_channels,
        out_half_a_surrogate_pair_in_a_channels_name_is_refused,
        out_awkward_messages,
        out_a_message_is_what_it_was_when_it_was_sent,
        out_the_sender_is_a_number_of_53_random_bits,
    }
    tests! { "wire/incoming.js":
        in_every_way_to_write_an_envelope,
        in_braces_and_quotes_where_they_belong_to_the_message,
        in_names_of_every_length,
        in_a_long_sender_hides_no_channel,
        in_prototype_names_are_names_like_any_other,
        in_of_a_member_named_twice_the_head_counts,
        in_what_is_no_envelope_is_counted_and_reported_once,
        in_the_report_says_what_was_wrong,
        in_binary_frames_come_as_buffers,
        in_binary_frames_are_the_text_in_them,
        in_several_envelopes_in_a_frame_each_count,
        in_too_long_a_frame_is_not_even_read,
        in_hostile_members_harm_nobody,
        in_a_hundred_thousand_channels_that_nobody_opened,
    }
    tests! { "wire/generated.js":
        in_thousands_of_frames_as_the_shim_reads_them,
    }
}
