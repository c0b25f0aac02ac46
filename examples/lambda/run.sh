#!/bin/bash

# Starts the app behind the AWS Lambda Web Adapter.
exec node server.js
