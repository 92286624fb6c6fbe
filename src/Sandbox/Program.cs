return await Mavi.Sandbox.SandboxApp.RunAsync(args);
