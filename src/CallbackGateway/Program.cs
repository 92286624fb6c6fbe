return await Mavi.CallbackGateway.GatewayApp.RunAsync(args);
