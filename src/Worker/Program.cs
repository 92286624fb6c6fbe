using Mavi.Worker;

return await WorkerApp.RunAsync(args);
