<?php
// Receives callbacks of the biller host. PHP 8, no packages: CALLBACK_SECRET=… php -S 127.0.0.1:9000 receiver.php

/** Over the raw bytes, before they are parsed; one of several signatures is enough, while a key is being replaced. */
function is_ours(string $id, string $time, string $signatures, string $rawBody, string $secret): bool {
  if (!ctype_digit($time) || abs(time() - (int) $time) >= 300) return false;
  $wanted = 'v1=' . hash_hmac('sha256', "$id.$time.$rawBody", $secret);
  foreach (explode(',', $signatures) as $part) {
    if (hash_equals($wanted, trim($part))) return true;
  }
  return false;
}

$rawBody = file_get_contents('php://input');
$id = $_SERVER['HTTP_X_EVENT_ID'] ?? '';
$time = $_SERVER['HTTP_X_TIMESTAMP'] ?? '';
if (!is_ours($id, $time, $_SERVER['HTTP_X_SIGNATURE'] ?? '', $rawBody, getenv('CALLBACK_SECRET'))) {
  http_response_code(401);
  exit;
}
$event = json_decode($rawBody, true);
// The same event may come again. In earnest: a table with a unique key on the id, written in the transaction that marks the
// order paid; when the id is there already, answer the same and do nothing.
$line = implode(' ', [$id, $event['transaction_number'], $event['billing_status'], $event['payment_amount'] ?? '']);
file_put_contents('php://stdout', "$line\n");
http_response_code(204);
